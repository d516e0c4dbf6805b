/* SPDX-License-Identifier: MIT */
/* One version of a task's package: what identifies it, its link, and how long it stays in memory. */
#include "kt-package-private.h"

#include "base/kt-log.h"
#include "base/kt-units.h"

#include <unistd.h>

KtPackage *
kt_package_new (KtPackages *set, KtKey *key, const char *validator, gint64 size)
{
  KtPackage *package = g_new0 (KtPackage, 1);

  package->set = set;
  package->refs = 1;
  package->key = kt_key_ref (key);
  package->validator = g_strdup (validator);
  package->size = size;
  package->fd = -1;
  package->blocks = kt_blocks_new (set->memory);
  package->member.data = package;
  g_queue_push_tail_link (&set->all, &package->member);
  return package;
}

KtPackage *
kt_package_ref (KtPackage *package)
{
  package->refs++;
  return package;
}

void
kt_package_unref (KtPackage *package)
{
  KtPackages *set;

  if (package == NULL || --package->refs > 0)
    return;
  set = package->set;
  if (g_hash_table_lookup (set->current, package->key) == package)
    g_hash_table_remove (set->current, package->key);
  g_queue_unlink (&set->all, &package->member);
  kt_blocks_free (package->blocks);
  if (package->fd >= 0)
    close (package->fd);
  kt_secret_free (package->link);
  g_free (package->validator);
  kt_key_unref (package->key);
  g_free (package);
}

void
kt_package_set_link (KtPackage *package, const char *link)
{
  if (g_strcmp0 (package->link, link) == 0)
    return;
  kt_secret_free (package->link);
  package->link = g_strdup (link);
  package->link_serial++;
}

void
kt_package_set_inode (KtPackage *package, guint64 inode)
{
  package->inode = inode;
}

gint64
kt_package_size (const KtPackage *package)
{
  return package->size;
}

KtUsec
kt_package_mtime (const KtPackage *package)
{
  return package->mtime_wall;
}

KtUsec
kt_package_expires_at (const KtPackage *package)
{
  return kt_time_add (package->seen_at, KT_PACKAGE_TTL);
}

KtUsec
kt_package_stall_timeout (const KtPackages *set, KtUsec deadline)
{
  return MAX (deadline - kt_clock_monotonic (set->clock), KT_SECOND);
}
