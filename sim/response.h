/* SPDX-License-Identifier: MIT */
#pragma once

#include "package.h"

#define SIM_JSON_TYPE "application/json;charset=utf-8"

/* The service's codes. */
enum {
  SIM_CODE_BAD_REQUEST = 13000101,
  SIM_CODE_BAD_PARAMETER = 13000102,
  SIM_CODE_NOT_FOUND = 13000309,
};

/* How the response is sent, or is not. */
typedef enum {
  SIM_WIRE_WHOLE,
  SIM_WIRE_HALF,  /* all headers, half of the body, then the connection ends */
  SIM_WIRE_RESET, /* a TCP RST instead of any byte */
} SimWire;

/* One HTTP response before it is sent. */
typedef struct {
  guint status;
  char *content_type;  /* NULL = none is sent */
  GBytes *body;        /* NULL when a package is sent */
  SimPackage *package; /* of which `length` bytes from `from` on are sent */
  guint64 from, length;
  gboolean no_length; /* no header says how long the body is */
  GPtrArray *headers; /* SimPair; NULL = no more than those that every response has */
  SimWire wire;
} SimResponse;

/* Frees what RESPONSE holds and zeroes it; a zeroed one is fine. */
void sim_response_clear (SimResponse *response);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (SimResponse, sim_response_clear)

/* A time, microseconds since the epoch, as HTTP headers have it. (transfer full) */
char *sim_response_make_date (gint64 time);

/* Adds a header. */
void sim_response_add_header (SimResponse *response, const char *name, const char *value);

/* Sets status, type and body, freeing all that was there; takes BODY. */
void sim_response_set (SimResponse *response, guint status, const char *content_type, GBytes *body);

/* The same with a part of PACKAGE. */
void sim_response_set_package (SimResponse *response, guint status, SimPackage *package, guint64 from, guint64 length,
                               gboolean no_length);

/* An error as the service words it: {"code":CODE,"msg":MSG}. */
void sim_response_set_error (SimResponse *response, guint status, int code, const char *format, ...)
    G_GNUC_PRINTF (4, 5);

/* An error as the gateway before the service words it: {"error_code":CODE,"error_msg":MSG}. */
void sim_response_set_gateway_error (SimResponse *response, guint status, const char *code, const char *msg);
