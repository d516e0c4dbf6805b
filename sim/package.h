/* SPDX-License-Identifier: MIT */
#pragma once

#include "tasks.h"

#define SIM_PACKAGE_MAX_SIZE G_GINT64_CONSTANT (4000000000) /* of all files; beyond 4 GiB a zip has another form */

/* A package: a zip of the files that a task has brought, stored without compression.
 *
 * Nothing of the files is kept: each byte is a function of its offset, so a package of gigabytes takes no more memory
 * than a small one and any part of it can be read at once. Immutable after it is made. */
typedef struct SimPackage SimPackage;

/* The package of TASK, its files SIZE bytes together. (transfer full) */
SimPackage *sim_package_new (const SimTask *task, guint64 size);
SimPackage *sim_package_ref (SimPackage *package);
/* Accepts NULL. */
void sim_package_unref (SimPackage *package);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SimPackage, sim_package_unref)

/* Of the whole zip, in bytes. */
guint64 sim_package_get_size (const SimPackage *package);

/* Fills BUFFER with the N bytes from OFFSET on, all of which must be within the package. */
void sim_package_read (const SimPackage *package, guint64 offset, char *buffer, gsize n);
