/* SPDX-License-Identifier: MIT */
/* Who hears of which change, in which order; and what listens to them. */
#include "kt-store-fixture.h"

#include <string.h>

typedef struct Hearer Hearer;
struct Hearer {
  KtChanges *changes;
  KtListener *listener;
  const char *name;
  GString *heard; /* "NAME:ID,ID " a batch; of all hearers */
  /* what it does once, when it hears of something */
  KtListener **removes;
  Hearer *adds;
  KtKey *publishes;
};

static void
hear (const KtChange *changes, guint n, gpointer data)
{
  Hearer *hearer = data;

  g_string_append_printf (hearer->heard, "%s:", hearer->name);
  for (guint i = 0; i < n; i++)
    g_string_append_printf (hearer->heard, "%s%s", i > 0 ? "," : "", changes[i].key->task_id);
  g_string_append_c (hearer->heard, ' ');
  if (hearer->removes != NULL)
    kt_changes_unlisten (hearer->changes, g_steal_pointer (&hearer->removes));
  if (hearer->adds != NULL) {
    hearer->adds->listener = kt_changes_listen (hearer->changes, hear, hearer->adds);
    hearer->adds = NULL;
  }
  if (hearer->publishes != NULL) {
    g_autoptr (KtKey) key = g_steal_pointer (&hearer->publishes);
    kt_changes_publish_one (hearer->changes, &(KtChange){ .kind = KT_CHANGE_GONE, .key = key });
  }
}

static void
publish (KtStoreFixture *f, const char *id)
{
  g_autoptr (KtKey) key = kt_key_new (KT_FAMILY_JOB, id);
  kt_changes_publish_one (f->changes, &(KtChange){ .kind = KT_CHANGE_GONE, .key = key });
}

static void
assert_heard (GString *heard, const char *expected)
{
  g_assert_cmpstr (heard->str, ==, expected);
  g_string_truncate (heard, 0);
}

static void
test_batch (KtStoreFixture *f, gconstpointer data)
{
  g_autoptr (GString) heard = g_string_new (NULL);
  Hearer a = { f->changes, .name = "a", .heard = heard };
  GArray *batch = NULL;

  a.listener = kt_changes_listen (f->changes, hear, &a);
  for (guint i = 0; i < 3; i++) {
    g_autofree char *id = g_strdup_printf ("%u", i);
    g_autoptr (KtKey) key = kt_key_new (KT_FAMILY_JOB, id); /* the batch has a reference of its own */
    kt_changes_add (&batch, &(KtChange){ .kind = KT_CHANGE_GONE, .key = key });
  }
  kt_changes_publish (f->changes, batch);
  assert_heard (heard, "a:0,1,2 ");
  kt_changes_publish (f->changes, NULL);
  assert_heard (heard, "");
  kt_changes_unlisten (f->changes, &a.listener);
  g_assert_null (a.listener);
  publish (f, "3");
  assert_heard (heard, "");
}

/* A listener may remove itself, one that has not heard yet, and one that has. */
static void
test_remove_meanwhile (KtStoreFixture *f, gconstpointer data)
{
  g_autoptr (GString) heard = g_string_new (NULL);
  Hearer hearers[4];

  for (guint i = 0; i < 4; i++) {
    static const char *const names[] = { "a", "b", "c", "d" };
    hearers[i] = (Hearer){ f->changes, .name = names[i], .heard = heard };
    hearers[i].listener = kt_changes_listen (f->changes, hear, &hearers[i]);
  }
  hearers[0].removes = &hearers[0].listener;
  hearers[1].removes = &hearers[2].listener;
  hearers[3].removes = &hearers[1].listener;
  publish (f, "1");
  assert_heard (heard, "a:1 b:1 d:1 ");
  publish (f, "2");
  assert_heard (heard, "d:2 ");
  kt_changes_unlisten (f->changes, &hearers[3].listener);
}

/* One that is added meanwhile hears of what is published from then on. */
static void
test_add_meanwhile (KtStoreFixture *f, gconstpointer data)
{
  g_autoptr (GString) heard = g_string_new (NULL);
  Hearer late = { f->changes, .name = "late", .heard = heard };
  Hearer a = { f->changes, .name = "a", .heard = heard, .adds = &late };

  a.listener = kt_changes_listen (f->changes, hear, &a);
  a.publishes = kt_key_new (KT_FAMILY_JOB, "2"); /* after it has added the other */
  publish (f, "1");
  assert_heard (heard, "a:1 a:2 late:2 ");
  kt_changes_unlisten (f->changes, &a.listener);
  kt_changes_unlisten (f->changes, &late.listener);
}

/* What a listener publishes comes after what all have heard. */
static void
test_publish_meanwhile (KtStoreFixture *f, gconstpointer data)
{
  g_autoptr (GString) heard = g_string_new (NULL);
  Hearer a = { f->changes, .name = "a", .heard = heard };
  Hearer b = { f->changes, .name = "b", .heard = heard };

  a.listener = kt_changes_listen (f->changes, hear, &a);
  b.listener = kt_changes_listen (f->changes, hear, &b);
  a.publishes = kt_key_new (KT_FAMILY_JOB, "2");
  publish (f, "1");
  assert_heard (heard, "a:1 b:1 a:2 b:2 ");
  kt_changes_unlisten (f->changes, &a.listener);
  kt_changes_unlisten (f->changes, &b.listener);
}

static void
fetch (KtStoreFixture *f, const char *progress)
{
  g_autofree char *json = g_strdup_printf ("{\"jobInfo\":{\"taskStatus\":1,\"progress\":%s}}", progress);

  kt_fake_clock_advance (f->clock, 10 * KT_SECOND);
  kt_store_prefetch (f->store, f->key, KT_TIME_NEVER);
  kt_fake_source_land (f->source, json);
}

/* A request whose failure is forgotten, and want of memory. */
static void
test_evicted (KtStoreFixture *f, gconstpointer data)
{
  g_autofree char *expected = g_strdup_printf ("7:-1 7:%d ?7 8:-1 ~7 ", KT_ERROR_SERVICE);
  g_autoptr (KtKey) other = kt_key_new_share ("S", "8");

  fetch (f, "1");
  kt_store_forget_failures (f->store); /* there is none */
  kt_fake_clock_advance (f->clock, 10 * KT_SECOND);
  kt_store_prefetch (f->store, f->key, KT_TIME_NEVER);
  kt_fake_source_fail (f->source, KT_ERROR_SERVICE);
  kt_store_forget_failures (f->store);
  f->policy.memory = 0;
  kt_store_set_policy (f->store, &f->policy);
  kt_store_prefetch (f->store, other, KT_TIME_NEVER);
  kt_fake_source_land (f->source, "{\"jobInfo\":{\"taskStatus\":1}}");
  kt_store_assert_log (f, expected);
}

static KtUsec
moved_wall (KtStoreFixture *f, KtKey *key)
{
  KtSnapshot snapshot;
  return kt_store_peek (f->store, key, KT_STORE_FRESH, &snapshot) ? snapshot.moved_wall : 0;
}

/* A task has moved when its snapshot differs from the one before, until it is evicted. */
static void
test_moves (KtStoreFixture *f, gconstpointer data)
{
  g_autoptr (KtKey) other = kt_key_new_share ("S", "8");

  fetch (f, "1");
  fetch (f, "1");
  g_assert_cmpint (moved_wall (f, f->key), ==, 0);
  kt_fake_source_set_age (f->source, 2 * KT_SECOND); /* it moved that long ago */
  fetch (f, "2");
  g_assert_cmpint (moved_wall (f, f->key), ==, (KT_FAKE_EPOCH + 28) * KT_SECOND);
  kt_fake_source_set_age (f->source, 0);
  fetch (f, "2");
  g_assert_cmpint (moved_wall (f, f->key), ==, (KT_FAKE_EPOCH + 28) * KT_SECOND);
  g_assert_cmpint (moved_wall (f, other), ==, 0);
  f->policy.memory = 0;
  kt_store_set_policy (f->store, &f->policy);
  kt_store_prefetch (f->store, other, KT_TIME_NEVER);
  kt_fake_source_land (f->source, "{\"jobInfo\":{\"taskStatus\":1}}");
  g_assert_cmpint (moved_wall (f, f->key), ==, 0);
}

int
main (int argc, char **argv)
{
  kt_test_init (&argc, &argv);
  KT_STORE_TEST ("/store/changes/batch", test_batch);
  KT_STORE_TEST ("/store/changes/remove-meanwhile", test_remove_meanwhile);
  KT_STORE_TEST ("/store/changes/add-meanwhile", test_add_meanwhile);
  KT_STORE_TEST ("/store/changes/publish-meanwhile", test_publish_meanwhile);
  KT_STORE_TEST ("/store/changes/evicted", test_evicted);
  KT_STORE_TEST ("/store/changes/moves", test_moves);
  return g_test_run ();
}
