/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * file.h - the file handle that travels through the kernel.
 */
#ifndef THAW_FUSE_FILE_H
#define THAW_FUSE_FILE_H

#include <stdint.h>

#include "fuse/inode.h"

uint64_t thaw_file_handle(struct thaw_opened opened);
struct thaw_opened thaw_file_opened(uint64_t fh);

#endif
