/* SPDX-License-Identifier: MIT */
/* Preload: gives blocks to the kernel's page cache before the kernel asks for them. */
#include "kt-package-private.h"

/* A block on its way to the kernel. */
typedef struct {
  KtPackage *package;
  KtBlock *block;
} Preload;

static gboolean
on_stored (gpointer data)
{
  g_autofree Preload *preload = data;

  kt_block_unpin (preload->block);
  kt_package_unref (preload->package);
  return G_SOURCE_REMOVE;
}

/* FALSE: the bytes of RANGE have not come, or the kernel takes none now. */
static gboolean
store (KtPackage *package, const KtRange *range)
{
  KtPackages *set = package->set;
  KtBlock *block = kt_blocks_find (package->blocks, (guint64) range->offset / KT_BLOCK);
  Preload *preload;

  if (block == NULL || !block->is_complete)
    return FALSE;
  preload = g_new (Preload, 1);
  *preload = (Preload){ kt_package_ref (package), block };
  kt_block_pin (block);
  if (set->preload (set->kernel, package->inode, range->offset, block->bytes + range->offset % KT_BLOCK,
                    (gsize) (range->end - range->offset), on_stored, preload))
    return TRUE;
  on_stored (preload);
  return FALSE;
}

void
kt_package_preload_for (KtPackage *package, KtCursor *cursor)
{
  KtRange range;

  while (package->set->preload != NULL && kt_cursor_next_preload (cursor, package->size, &range)
         && store (package, &range))
    kt_cursor_preloaded (cursor, &range);
}

void
kt_package_preload (KtPackage *package)
{
  for (guint i = 0; i < KT_CURSORS; i++)
    kt_package_preload_for (package, &package->readahead.cursors[i]);
}

void
kt_packages_set_preload (KtPackages *set, KtPackagePreload preload, gpointer kernel)
{
  set->preload = preload;
  set->kernel = kernel;
}
