/* SPDX-License-Identifier: MIT */
#pragma once

#include "kt-entry.h"

/* The members of task.json and of what shows all tasks: the same names for all families. */

#define KT_FIELD_BUFFER 32

typedef struct {
  const char *name;
  gboolean is_number; /* JSON: all others are strings */
  /* The value, "" when it is not known. It may be made in BUFFER, of KT_FIELD_BUFFER bytes. */
  const char *(*text) (const KtShown *shown, char *buffer);
} KtField;

/* Ended by a NAME that is NULL. */
extern const KtField kt_fields[];

/* The value of FIELD as JSON: null when it is not known. */
void kt_field_append_json (GString *out, const KtField *field, const KtShown *shown);
