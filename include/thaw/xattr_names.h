/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * xattr_names.h - the extended attributes of a thawfs mount, thawfs-xattr(7).
 */
#ifndef THAW_XATTR_NAMES_H
#define THAW_XATTR_NAMES_H

#define THAW_XATTR_PREFIX "user.thaw."
#define THAW_XATTR_STATE THAW_XATTR_PREFIX "state"
#define THAW_XATTR_PIN THAW_XATTR_PREFIX "pin"
#define THAW_XATTR_STAGE THAW_XATTR_PREFIX "stage"
#define THAW_XATTR_CACHED_BYTES THAW_XATTR_PREFIX "cached_bytes"
#define THAW_XATTR_SHA256 THAW_XATTR_PREFIX "sha256"
#define THAW_XATTR_SOCKET THAW_XATTR_PREFIX "socket"
#define THAW_XATTR_VERSION THAW_XATTR_PREFIX "version"

#endif
