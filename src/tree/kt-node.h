/* SPDX-License-Identifier: MIT */
#pragma once

#include "kt-entry.h"
#include "package/kt-package.h"
#include "store/kt-events.h"

/* The inodes.
 *
 * A node is a directory, a link, one version of a file, whose content never changes, or one failure to have it. Ids are
 * counted up and never used again. A node is freed when nobody refers to it any more:
 *   - the kernel, which counts: each reply that names a node adds one lookup, FORGET takes them back;
 *   - its children, which hold their parent;
 *   - an operation under way, which holds a reference.
 * A node is found by its directory and name: of a file only the current version, and beside it the current failure.
 * Older ones stay, without a name, for those who have them open. */
typedef struct KtNodes KtNodes;

/* Of a file that grows: the log, and which part of it the file has. */
typedef struct {
  KtEvents *events;
  KtEventFile *file; /* held */
  guint64 base;      /* offset of the file's first byte in the log */
  guint64 old_at;    /* the log's start at which the file should make way for a new one */
  KtUsec looked_at;  /* monotonic: when somebody was last taken to look, see kt_tree_look() */
} KtGrowing;

/* A file that has lost KT_EVENTS_LOST_MAX makes way for a new one only when nobody has it open: who has goes on with it.
 * That is tried again whenever so much more has been lost. */
#define KT_GROWING_LOST_MORE (1024 * 1024)

struct KtNode {
  guint64 id;
  const KtEntry *entry;
  struct KtNode *parent; /* NULL for the root */
  char *own_name;        /* where names are ids */
  KtKey *key;            /* of the task when the node was made, NULL outside of tasks; the catalog knows better */
  GBytes *content;       /* files */
  GError *failure;       /* why a file or package cannot be had: what reading it ends in */
  KtPackage *package;    /* packages */
  KtGrowing *growing;    /* files that grow */
  KtUsec mtime_wall;     /* files and packages: wall clock, microseconds; directories of tasks: what the kernel keeps */
  guint lasting : 1;     /* files: their attributes last, see kt_tree_preload() */
  guint stored : 1;      /* files: the kernel has their pages, or is to READ them */
  guint8 readers;        /* directories: files READ in it; many is 2, see kt_tree_preload_others() */
  guint64 lookups;
  guint refs;
  GQueue children; /* KtNode: those found by name */
  GList named;     /* in the parent's CHILDREN; its data is NULL when the node is not found by name */
};

#define KT_NODE_ROOT_ID 1

/* Ids below this one, but for the root's, are those of no node: stat shows them, see kt_tree_describe(). */
#define KT_NODE_FIRST_ID 256

/* ROOT is the row of the root directory. */
KtNodes *kt_nodes_new (const KtEntry *root);
void kt_nodes_free (KtNodes *nodes);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (KtNodes, kt_nodes_free)

guint kt_nodes_size (const KtNodes *nodes);

/* The node with this id, or NULL. (transfer none) */
KtNode *kt_nodes_get (KtNodes *nodes, guint64 id);

/* The directory or link NAME in PARENT, made when there is none yet; one lookup is added. KEY may be NULL. */
KtNode *kt_nodes_look_up (KtNodes *nodes, KtNode *parent, const KtEntry *entry, const char *name, KtKey *key);

/* The version of the file ENTRY in PARENT that has CONTENT: the current one if that has it, else a new one which
 * takes its place. FIRST_MTIME_WALL is for one that replaces none, NEXT_MTIME_WALL for one that does. One lookup is
 * added. */
KtNode *kt_nodes_look_up_version (KtNodes *nodes, KtNode *parent, const KtEntry *entry, GBytes *content,
                                  KtUsec first_mtime_wall, KtUsec next_mtime_wall);

/* A file ENTRY in PARENT that is like no other, as each lookup of it makes one. CONTENT may be NULL: it has none yet. One
 * lookup is added. */
KtNode *kt_nodes_look_up_new (KtNodes *nodes, KtNode *parent, const KtEntry *entry, GBytes *content, KtUsec mtime_wall);

/* NODE has come to be one whose content cannot be had because of FAILURE. It is found by its name no more. */
void kt_nodes_fail (KtNodes *nodes, KtNode *node, const GError *failure);

/* As kt_nodes_look_up_version(), of a package. */
KtNode *kt_nodes_look_up_package (KtNodes *nodes, KtNode *parent, const KtEntry *entry, KtPackage *package,
                                  KtUsec mtime_wall);

/* The node of the log FILE (transfer full), of EVENTS, which is ENTRY in PARENT: the current one if it is that log's, else
 * a new one. One lookup is added. */
KtNode *kt_nodes_look_up_growing (KtNodes *nodes, KtNode *parent, const KtEntry *entry, KtEvents *events,
                                  KtEventFile *file);

/* Whether the file NODE has lost so much that it should make way for a new one: then, and once for each KT_GROWING_LOST_MORE. */
gboolean kt_node_grows_old (KtNode *node);

/* The node that stands for the file or package ENTRY in PARENT while it cannot be had for FAILURE: the same one as
 * long as the kind of failure is the same, else a new one with MTIME_WALL. One lookup is added. */
KtNode *kt_nodes_look_up_failure (KtNodes *nodes, KtNode *parent, const KtEntry *entry, const GError *failure,
                                  KtUsec mtime_wall);

/* The node with this id, with one lookup more; NULL when there is none or the kernel does not hold it. (transfer none) */
KtNode *kt_nodes_look_up_again (KtNodes *nodes, guint64 id);

/* The kernel takes back COUNT lookups; an unknown id is ignored. */
void kt_nodes_forget (KtNodes *nodes, guint64 id, guint64 count);

/* Holds for the time of an operation. */
KtNode *kt_node_ref (KtNode *node);
void kt_node_unref (KtNodes *nodes, KtNode *node);

const char *kt_node_name (const KtNode *node);

/* Its path below the mount, a directory's with a slash at the end; "" for the root. (transfer full) */
char *kt_node_path (const KtNode *node);

/* What DIR has under NAME as far as the kernel knows, or NULL. (transfer none) */
KtNode *kt_nodes_find (KtNodes *nodes, KtNode *dir, const char *name);
