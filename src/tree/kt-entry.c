/* SPDX-License-Identifier: MIT */
/* Finds rows of the table of files. */
#include "kt-entry.h"

guint
kt_entry_index (const KtEntry *table, const KtEntry *entry)
{
  return (guint) (entry - table);
}

const KtEntry *
kt_entry_find (const KtEntry *table, KtPlace place, const char *name, guint facts)
{
  for (const KtEntry *entry = table; entry->ops != NULL; entry++)
    if (entry->place == place && entry->name != NULL && (entry->facts & facts) != 0 && g_str_equal (entry->name, name))
      return entry;
  return NULL;
}

const KtEntry *
kt_entry_find_names (const KtEntry *table, KtPlace place, guint facts)
{
  for (const KtEntry *entry = table; entry->ops != NULL; entry++)
    if (entry->place == place && entry->names != NULL && (entry->facts & facts) != 0)
      return entry;
  return NULL;
}
