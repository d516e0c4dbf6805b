/* SPDX-License-Identifier: MIT */
#pragma once

#include "response.h"
#include "request.h"

/* Shapes: the other forms a response can have where the service's documents contradict each other or are silent.
 *
 * Most of them change a finished document; shapes.c does that. Those that need more (what a page holds, how a package
 * is sent) are asked for where it happens. */

typedef enum {
  SIM_SHAPE_CODE_STRING,
  SIM_SHAPE_CODE_NUMBER,
  SIM_SHAPE_CODE_ABSENT,
  SIM_SHAPE_INFOS_OBJECT,
  SIM_SHAPE_INFOS_NULL,
  SIM_SHAPE_INFOS_ABSENT,
  SIM_SHAPE_WRAPPER_2024,
  SIM_SHAPE_NAMES_SWAPPED,
  SIM_SHAPE_LIST_DTOS,
  SIM_SHAPE_CURSOR_NUMBER,
  SIM_SHAPE_CURSOR_ENDLESS,
  SIM_SHAPE_CURSOR_SAME,
  SIM_SHAPE_PAGE_EMPTY,
  SIM_SHAPE_PAGE_REPEATS,
  SIM_SHAPE_RESULT_BARE,
  SIM_SHAPE_RESULT_NO_DESC,
  SIM_SHAPE_RESULT_BROKEN,
  SIM_SHAPE_URL_ABSENT,
  SIM_SHAPE_URL_EMPTY,
  SIM_SHAPE_URL_EXPIRED,
  SIM_SHAPE_TIMES_ISO,
  SIM_SHAPE_TIMES_14,
  SIM_SHAPE_PROGRESS_ABSENT,
  SIM_SHAPE_PROGRESS_NEGATIVE,
  SIM_SHAPE_PROGRESS_OVER,
  SIM_SHAPE_ENUM_UNKNOWN,
  SIM_SHAPE_NUMBERS_STRING,
  SIM_SHAPE_FIELDS_EXTRA,
  SIM_SHAPE_NUMBERS_DECIMAL,
  SIM_SHAPE_TIMES_SECONDS,
  SIM_SHAPE_TIMES_MILLISECONDS,
  SIM_SHAPE_STRINGS_CUT,
  SIM_SHAPE_STRINGS_NUL,
  SIM_SHAPE_STATUS_203,
  SIM_SHAPE_ERROR_CODE,
  SIM_SHAPE_ERROR_200,
  SIM_SHAPE_PACKAGE_NO_RANGE,
  SIM_SHAPE_PACKAGE_NO_LENGTH,
  SIM_SHAPE_PACKAGE_REDIRECT,
} SimShape;
#define SIM_N_SHAPES (SIM_SHAPE_PACKAGE_REDIRECT + 1)

typedef guint64 SimShapes; /* a set */

static inline gboolean
sim_shapes_has (SimShapes shapes, SimShape shape)
{
  return (shapes >> shape & 1) != 0;
}

/* The set of the NULL-terminated NAMES; FALSE when there is no shape of such a name. */
gboolean sim_shapes_parse (const char *const *names, SimShapes *shapes, GError **error);

/* {"shapes":[{"name":...,"what":...,"on":...}]} for /_sim/shapes. (transfer full) */
cJSON *sim_shapes_list (SimShapes shapes);
/* All names and what they do, a line each, for --help. (transfer full) */
char *sim_shapes_help (void);

/* Changes the good response of ENDPOINT. */
void sim_shapes_apply (SimShapes shapes, SimEndpoint endpoint, cJSON *document);
/* Changes a response that is an error; leaves others alone. */
void sim_shapes_apply_error (SimShapes shapes, SimResponse *response);
