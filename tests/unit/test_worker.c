// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A worker's batches: in which order things happen, and what becomes of packets that cannot be read. Its queue is a script here, and
 * what it does is a text: "A5.1" accepts packet 1 of queue 5, "D" drops, "send" sends verdicts, "flush" tells conntrack what was put off.
 */
#include "unit.h"

#include "daemon/log.h"
#include "daemon/worker.h"
#include "host/clock.h"

#include <errno.h>
#include <unistd.h>

#define QUEUE	   5
#define SURE_QUEUE 6
#define MARK	   0x200000u

static struct nfqueue_packet script[NFQUEUE_BATCH];
static unsigned int script_count;
static struct options options;
static struct control control;
static struct worker *worker;
static char done[1024];

static void did(const char *what)
{
	const size_t length = strlen(done);

	snprintf(done + length, sizeof(done) - length, "%s ", what);
}

static void did_to(char what, const struct nfqueue_packet *packet)
{
	char text[32];

	snprintf(text, sizeof(text), "%c%u.%u", what, packet->queue, packet->id);
	did(text);
}

/* ---- the queue ---- */

int nfqueue_open(const struct nfqueue_config *config, struct nfqueue **queue, enum nfqueue_step *step)
{
	assert_int_equal(config->queue, QUEUE);
	*queue = NULL;
	*step = NFQUEUE_SOCKET;
	return 0;
}

void nfqueue_close(struct nfqueue *queue)
{
	(void)queue;
}

/* The script is one batch, and the last one. */
int nfqueue_receive(struct nfqueue *queue, struct nfqueue_packet *packets)
{
	(void)queue;
	memcpy(packets, script, script_count * sizeof(script[0]));
	atomic_store(&control.stop, true);
	return (int)script_count;
}

void nfqueue_accept(struct nfqueue *queue, const struct nfqueue_packet *packet)
{
	(void)queue;
	did_to('A', packet);
}

void nfqueue_drop(struct nfqueue *queue, const struct nfqueue_packet *packet)
{
	(void)queue;
	did_to('D', packet);
}

void nfqueue_replace(struct nfqueue *queue, const struct nfqueue_packet *packet, const uint8_t *data, size_t length)
{
	(void)queue;
	(void)data;
	(void)length;
	did_to('R', packet);
}

int nfqueue_send(struct nfqueue *queue)
{
	(void)queue;
	did("send");
	return 0;
}

bool nfqueue_tells_conntrack(const struct nfqueue *queue)
{
	(void)queue;
	return true;
}

struct nfqueue_counters nfqueue_counters(const struct nfqueue *queue)
{
	(void)queue;
	return (struct nfqueue_counters){ 0 };
}

/* ---- conntrack ---- */

int __wrap_ctnetlink_open(struct ctnetlink *ct, const struct ctnetlink_config *config);
void __wrap_ctnetlink_close(struct ctnetlink *ct);
void __wrap_ctnetlink_flush(struct ctnetlink *ct);

int __wrap_ctnetlink_open(struct ctnetlink *ct, const struct ctnetlink_config *config)
{
	static const struct conntrack_ops nothing;

	memset(ct, 0, sizeof(*ct));
	ct->conntrack.ops = &nothing;
	ct->config = *config;
	return 0;
}

void __wrap_ctnetlink_close(struct ctnetlink *ct)
{
	(void)ct;
}

void __wrap_ctnetlink_flush(struct ctnetlink *ct)
{
	(void)ct;
	did("flush");
}

/* ---- tests ---- */

static int set_up(void **state)
{
	(void)state;
	log_set_level(LOG_LEVEL_ERROR);
	options_default(&options);
	options.attach.mode = MODE_QUEUE;
	options.attach.queues = (struct queue_range){ true, QUEUE, QUEUE };
	options.attach.sure_queues = (struct queue_range){ true, SURE_QUEUE, SURE_QUEUE };
	options.attach.mark = options.attach.mark_mask = MARK;
	options.sessions = 1024;
	strcpy(options.state_directory, "/tmp/nfq-ftp-worker-XXXXXX");
	memset(&script, 0, sizeof(script));
	script_count = 0;
	memset(&control, 0, sizeof(control));
	done[0] = '\0';
	worker = unit_alloc_lines(sizeof(*worker));
	return mkdtemp(options.state_directory) ? 0 : -1;
}

static int take_down(void **state)
{
	char command[OPTIONS_PATH_MAX + 16];

	(void)state;
	free(worker);
	snprintf(command, sizeof(command), "rm -rf %s", options.state_directory);
	return system(command); /* NOLINT(cert-env33-c): the name is our own */
}

/* One that cannot be read whole. */
static struct nfqueue_packet *arrives(uint16_t queue)
{
	struct nfqueue_packet *packet = &script[script_count++];

	*packet = (struct nfqueue_packet){ .id = script_count, .queue = queue, .truncated = true };
	return packet;
}

static void is_done(const char *wanted)
{
	assert_int_equal(worker_open(worker, &options, &control, 0), 0);
	assert_int_equal(worker_start(worker), 0);
	assert_int_equal(worker_join(worker), 0);
	worker_close(worker);
	assert_string_equal(done, wanted);
}

/* What conntrack is told when it can wait is told behind the verdicts: packets are adjusted as they leave. */
static void verdicts_leave_before_what_was_put_off(void **state)
{
	(void)state;
	arrives(QUEUE);
	arrives(QUEUE);
	is_done("A5.1 A5.2 send flush flush "); /* the second is the clock's */
}

/* It passes unread, but not where its numbers might have to be adjusted. */
static void what_is_too_long(void **state)
{
	(void)state;
	arrives(QUEUE);
	arrives(SURE_QUEUE);
	arrives(QUEUE)->mark = MARK | 1;
	arrives(QUEUE)->mark = MARK >> 1;
	is_done("A5.1 D6.2 D5.3 A5.4 send flush flush ");
	assert_int_equal(worker->figures.unread, 2);
}

/* Nobody adjusts those. */
static void what_is_of_a_data_connection(void **state)
{
	(void)state;
	arrives(QUEUE)->expected = true;
	arrives(SURE_QUEUE)->expected = true;
	is_done("A5.1 A6.2 send flush flush ");
	assert_int_equal(worker->figures.data_packets, 2);
}

/* Where no bit is the mark's, all connections carry it, and none. */
static void without_a_mark(void **state)
{
	(void)state;
	options.attach.mark = options.attach.mark_mask = 0;
	options.attach.sure_queues.given = false;
	arrives(QUEUE)->mark = MARK;
	arrives(QUEUE);
	is_done("A5.1 A5.2 send flush flush ");
}

/* Settings that were published are taken between batches; the machine's own limit stays. */
static void new_settings(void **state)
{
	struct options changed;
	uint32_t expectations;

	(void)state;
	changed = options;
	changed.policy.client_rate = 77;
	changed.policy.loose.any = true;
	changed.expect_timeout = 90;
	settings_publish(&control.settings, &options);
	settings_publish(&control.settings, &changed);
	assert_int_equal(worker_open(worker, &options, &control, 0), 0);
	worker->engine.policy.expectations = expectations = 12345;
	assert_int_equal(worker->settings, 0);
	assert_int_equal(worker_start(worker), 0);
	assert_int_equal(worker_join(worker), 0);
	assert_int_equal(worker->settings, control.settings.version);
	assert_int_equal(worker->engine.policy.client_rate, 77);
	assert_true(worker->engine.policy.loose.any);
	assert_int_equal(worker->engine.policy.expectations, expectations);
	assert_int_equal(worker->ctnetlink.config.expect_timeout, 90);
	assert_int_equal(worker->ctnetlink.conntrack.expected_seconds, 90);
	worker_close(worker);
}

/* One that was taken up, and of which all has been seen since. */
static struct session *followed(void)
{
	const struct flow_key key = { .family = AF_INET, .low_port = 21, .high_port = 4711 };
	struct table *table = worker->engine.table;
	struct session *session = table_insert(table, &key, table_key_hash(table, &key));

	assert_non_null(session);
	session->state = SESSION_READY;
	return session;
}

/* And that packets have passed it by: what it follows is in doubt. */
static void rules_were_gone(void **state)
{
	const struct session *session;

	(void)state;
	control.unwatched = 3;
	assert_int_equal(worker_open(worker, &options, &control, 0), 0);
	session = followed();
	worker->engine.picks_up_until = 0;
	assert_int_equal(worker->doubted, 0);
	assert_int_equal(worker_start(worker), 0);
	assert_int_equal(worker_join(worker), 0);
	assert_int_equal(worker->doubted, 3);
	assert_true(worker->engine.picks_up_until > clock_of_sessions());
	assert_true(session->stream[DIRECTION_ORIGINAL].stale);
	worker_close(worker);
}

/* Or that there were none before: nothing that it follows is in doubt by that. */
static void rules_have_come(void **state)
{
	const struct session *session;

	(void)state;
	control.begun = 1;
	assert_int_equal(worker_open(worker, &options, &control, 0), 0);
	session = followed();
	worker->engine.picks_up_until = 0;
	assert_int_equal(worker_start(worker), 0);
	assert_int_equal(worker_join(worker), 0);
	assert_int_equal(worker->begun, 1);
	assert_true(worker->engine.picks_up_until > clock_of_sessions());
	assert_false(session->stream[DIRECTION_ORIGINAL].stale);
	worker_close(worker);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, take_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(verdicts_leave_before_what_was_put_off),
		CASE(what_is_too_long),
		CASE(what_is_of_a_data_connection),
		CASE(without_a_mark),
		CASE(new_settings),
		CASE(rules_were_gone),
		CASE(rules_have_come),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
