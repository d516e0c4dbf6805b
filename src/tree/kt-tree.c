/* SPDX-License-Identifier: MIT */
/* The tree as a whole: what it is made of, its construction and its end. */
#include "kt-announcements.h"
#include "kt-entry.h"
#include "kt-tree-private.h"
#include "kt-watched.h"

guint
kt_tree_nodes (KtTree *tree)
{
  return kt_nodes_size (tree->nodes);
}

void
kt_tree_set_options (KtTree *tree, const KtTreeOptions *options)
{
  tree->options.deadline = options->deadline;
  tree->options.families = options->families;
  kt_readahead_set_limit (tree->readahead, options->readahead);
}

void
kt_tree_set_packages (KtTree *tree, KtPackages *packages)
{
  tree->packages = packages;
}

void
kt_tree_set_events (KtTree *tree, KtEvents *events)
{
  tree->events = events;
}

void
kt_tree_set_preload (KtTree *tree, KtPackagePreload preload, gpointer kernel)
{
  if (tree->packages != NULL)
    kt_packages_set_preload (tree->packages, preload, kernel);
}

void
kt_tree_set_invalidate (KtTree *tree, KtTreeInvalidate invalidate, gpointer kernel)
{
  tree->invalidate = invalidate;
  tree->kernel = kernel;
}

void
kt_tree_set_announce (KtTree *tree, KtTreeAnnounce announce, gpointer kernel)
{
  kt_announcements_set_kernel (tree->announcements, announce, kernel);
}

KtTree *
kt_tree_new (KtClock *clock, KtChanges *changes, KtStore *store, KtCatalog *catalog, KtLists *lists, KtWatch *watch,
             const KtAbout *about, const KtTreeOptions *options)
{
  KtTree *tree = g_new0 (KtTree, 1);

  tree->clock = clock;
  tree->store = store;
  tree->catalog = catalog;
  tree->lists = lists;
  tree->watch = watch;
  tree->about = *about;
  tree->options = *options;
  tree->files = kt_files;
  tree->nodes = kt_nodes_new (&kt_files[0]);
  tree->views = kt_views_new (clock, changes, store, catalog);
  tree->overview = kt_overview_new (clock, tree->views, store, catalog, kt_tree_forget_view, tree);
  tree->readahead = kt_readahead_new (store, catalog, options->readahead);
  tree->started_wall = kt_clock_wall (clock);
  tree->changes = changes;
  tree->listener = kt_changes_listen (changes, kt_tree_on_changes, tree);
  tree->announcements = kt_announcements_new (tree);
  tree->waits = kt_waits_new (clock, changes, store, catalog, watch); /* listens after it: see kt-entry-wait.c */
  tree->watched = kt_watched_new (tree); /* it listens after the one that has the kernel forget */
  tree->polls = kt_polls_new (tree);     /* the last one that listens: what others do about a change is to be seen */
  return tree;
}

void
kt_tree_free (KtTree *tree)
{
  if (tree == NULL)
    return;
  kt_watched_free (tree->watched);
  kt_announcements_free (tree->announcements);
  kt_changes_unlisten (tree->changes, &tree->listener);
  kt_overview_free (tree->overview);
  kt_views_free (tree->views);
  kt_polls_free (tree->polls);
  kt_waits_free (tree->waits);
  kt_nodes_free (tree->nodes);
  kt_readahead_free (tree->readahead);
  g_free (tree);
}
