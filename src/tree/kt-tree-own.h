/* SPDX-License-Identifier: MIT */
#pragma once

/* A directory of the root that only the daemon's own thread finds: the names in it are numbers of inodes. It gives a name
 * to what is watched and has none any more, as the older versions of a file have. */
#define KT_TREE_INODES ".inodes"
