/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * xattr_names.h - the extended attributes of a thawfs mount, thawfs-xattr(7).
 *
 * All values are text.  "set" marks those that can be set.
 */
#ifndef THAW_XATTR_NAMES_H
#define THAW_XATTR_NAMES_H

#define THAW_XATTR_PREFIX "user.thaw."

/* files and directories */
#define THAW_XATTR_STATE        THAW_XATTR_PREFIX "state"
#define THAW_XATTR_PIN          THAW_XATTR_PREFIX "pin"   /* set */
#define THAW_XATTR_STAGE        THAW_XATTR_PREFIX "stage" /* set */
#define THAW_XATTR_CACHED_BYTES THAW_XATTR_PREFIX "cached_bytes"
#define THAW_XATTR_SOCKET       THAW_XATTR_PREFIX "socket"

/* files */
#define THAW_XATTR_VERSION       THAW_XATTR_PREFIX "version"
#define THAW_XATTR_SHA256        THAW_XATTR_PREFIX "sha256"
#define THAW_XATTR_SHA512        THAW_XATTR_PREFIX "sha512"
#define THAW_XATTR_MD5           THAW_XATTR_PREFIX "md5"
#define THAW_XATTR_DIGEST_SOURCE THAW_XATTR_PREFIX "digest.source"
#define THAW_XATTR_VERIFIED      THAW_XATTR_PREFIX "verified"
#define THAW_XATTR_ERROR         THAW_XATTR_PREFIX "error"
#define THAW_XATTR_HITS          THAW_XATTR_PREFIX "hits"
#define THAW_XATTR_LOCATION      THAW_XATTR_PREFIX "location"

#endif
