// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Verdicts on their way to a kernel that is short of memory. The kernel here is a model behind writev(): it has packets
 * waiting, takes verdicts off them as the real one does, and fails when it is told to. Whatever fails, no packet waits for
 * ever, none gets a verdict that is not its own (but for a drop), and only a dead socket is an error.
 */
#include "unit.h"

#include "kernel/verdicts.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_queue.h>
#include <string.h>
#include <sys/socket.h>

#define PACKETS 4096
#define QUEUES	2
#define FD	77
#define BATCH	64 /* verdicts at a time */

enum fate { NOT_THERE, WAITS, ACCEPTED, REPLACED, DROPPED };

struct packet {
	enum fate fate;
	enum fate wanted;
	unsigned int verdicts; /* how many it got */
	size_t length;	       /* of its new contents, as wanted */
};

/* The kernel's side. */
static struct packet kernel[QUEUES][PACKETS];
static uint32_t ids[QUEUES]; /* the last one's */
static int plan[64];	     /* what the next writev()s say: 0 or a positive errno */
static unsigned int planned, calls;
static size_t largest;
static unsigned int longest; /* messages in one call */

/* ---- the kernel ---- */

static uint16_t queue_number(unsigned int queue)
{
	return (uint16_t)(queue ? 65535 : 7);
}

static struct packet *packet_of(uint16_t number, uint32_t id)
{
	const unsigned int queue = number == 65535;

	assert_true(number == 7 || number == 65535);
	assert_true(id > 0 && id <= ids[queue]);
	return &kernel[queue][id];
}

static void decide(struct packet *packet, enum fate fate, size_t length)
{
	assert_int_equal(packet->fate, WAITS);
	packet->fate = fate;
	if (fate == REPLACED)
		assert_int_equal(length, packet->length);
	packet->verdicts++;
}

/* As nfqnl_recv_verdict_batch(): all that wait, up to this one. */
static void decide_batch(uint16_t number, uint32_t id, enum fate fate)
{
	struct packet *last = packet_of(number, id);

	for (struct packet *packet = kernel[number == 65535]; packet <= last; packet++) {
		if (packet->fate == WAITS)
			decide(packet, fate, 0);
	}
}

static void take_message(const struct nlmsghdr *header)
{
	const struct nfgenmsg *family = mnl_nlmsg_get_payload(header);
	const struct nfqnl_msg_verdict_hdr *verdict = NULL;
	const struct nlattr *attribute, *payload = NULL;
	enum fate fate;

	assert_int_equal(header->nlmsg_flags, NLM_F_REQUEST);
	mnl_attr_for_each(attribute, header, sizeof(*family))
	{
		if (mnl_attr_get_type(attribute) == NFQA_VERDICT_HDR)
			verdict = mnl_attr_get_payload(attribute);
		else if (mnl_attr_get_type(attribute) == NFQA_PAYLOAD)
			payload = attribute;
	}
	if (!verdict) {
		fail_msg("the message has no verdict");
		return;
	}
	fate = ntohl(verdict->verdict) == NF_DROP ? DROPPED : payload ? REPLACED : ACCEPTED;
	if (header->nlmsg_type == (NFNL_SUBSYS_QUEUE << 8 | NFQNL_MSG_VERDICT_BATCH)) {
		assert_null(payload);
		decide_batch(ntohs(family->res_id), ntohl(verdict->id), fate);
		return;
	}
	assert_int_equal(header->nlmsg_type, NFNL_SUBSYS_QUEUE << 8 | NFQNL_MSG_VERDICT);
	decide(packet_of(ntohs(family->res_id), ntohl(verdict->id)), fate,
	       payload ? mnl_attr_get_payload_len(payload) : 0);
}

ssize_t __wrap_writev(int fd, const struct iovec *pieces, int count);

ssize_t __wrap_writev(int fd, const struct iovec *pieces, int count)
{
	static _Alignas(8) uint8_t bytes[1 << 20];
	const struct nlmsghdr *message = (const void *)bytes;
	unsigned int messages = 0;
	size_t length = 0;
	int left;

	assert_int_equal(fd, FD);
	for (int i = 0; i < count; i++) {
		memcpy(bytes + length, pieces[i].iov_base, pieces[i].iov_len);
		length += pieces[i].iov_len;
	}
	largest = length > largest ? length : largest;
	calls++;
	if (calls <= planned && plan[calls - 1]) {
		errno = plan[calls - 1];
		return -1;
	}
	left = (int)length;
	for (; mnl_nlmsg_ok(message, left); message = mnl_nlmsg_next(message, &left), messages++)
		take_message(message);
	assert_int_equal(left, 0);
	longest = messages > longest ? messages : longest;
	return (ssize_t)length;
}

static void begin(struct verdicts *verdicts)
{
	memset(kernel, 0, sizeof(kernel));
	memset(ids, 0, sizeof(ids));
	planned = calls = longest = 0;
	largest = 0;
	verdicts_init(verdicts, FD);
}

static void fail_with(int error, unsigned int times)
{
	planned = times;
	calls = 0;
	for (unsigned int i = 0; i < times; i++)
		plan[i] = error;
}

static uint32_t arrive(unsigned int queue)
{
	kernel[queue][++ids[queue]].fate = WAITS;
	return ids[queue];
}

static void give(struct verdicts *verdicts, unsigned int queue, uint32_t id, enum fate wanted, const uint8_t *data,
		 size_t length)
{
	kernel[queue][id].wanted = wanted;
	kernel[queue][id].length = length;
	if (wanted == ACCEPTED)
		verdicts_accept(verdicts, queue_number(queue), id);
	else if (wanted == DROPPED)
		verdicts_drop(verdicts, queue_number(queue), id);
	else
		verdicts_replace(verdicts, queue_number(queue), id, data, length);
}

static unsigned int count_fate(enum fate fate)
{
	unsigned int count = 0;

	for (unsigned int queue = 0; queue < QUEUES; queue++) {
		for (unsigned int id = 1; id <= ids[queue]; id++)
			count += kernel[queue][id].fate == fate;
	}
	return count;
}

/* ---- tests ---- */

static const uint8_t contents[65536] = { 0x45 };

static void verdicts_reach_their_packets(void **state)
{
	static struct verdicts verdicts;

	(void)state;
	begin(&verdicts);
	for (unsigned int i = 0; i < 30; i++)
		give(&verdicts, i % 4 == 3, arrive(i % 4 == 3),
		     i % 5 == 4 ? REPLACED :
		     i % 7 == 6 ? DROPPED :
				  ACCEPTED,
		     contents, 40 + i);
	assert_int_equal(verdicts_send(&verdicts), 0);
	assert_int_equal(count_fate(WAITS), 0);
	for (unsigned int queue = 0; queue < QUEUES; queue++) {
		for (unsigned int id = 1; id <= ids[queue]; id++)
			assert_int_equal(kernel[queue][id].fate, kernel[queue][id].wanted);
	}
	assert_int_equal(verdicts.sends, 1);
	assert_int_equal(verdicts.unsent, 0);
}

static void a_run_is_one_message(void **state)
{
	static struct verdicts verdicts;

	(void)state;
	begin(&verdicts);
	for (unsigned int i = 0; i < BATCH; i++)
		give(&verdicts, 0, arrive(0), ACCEPTED, NULL, 0);
	assert_int_equal(verdicts_send(&verdicts), 0);
	assert_int_equal(longest, 1);
	assert_int_equal(count_fate(ACCEPTED), BATCH);
}

static void what_is_too_long_is_dropped(void **state)
{
	static struct verdicts verdicts;

	(void)state;
	begin(&verdicts);
	give(&verdicts, 0, arrive(0), REPLACED, contents, 65531);
	give(&verdicts, 0, arrive(0), REPLACED, contents, 65532);
	assert_int_equal(verdicts_send(&verdicts), 0);
	assert_int_equal(kernel[0][1].fate, REPLACED);
	assert_int_equal(kernel[0][2].fate, DROPPED);
}

/* Large ones go in several calls, none of which makes the kernel allocate much. */
static void large_ones_are_split(void **state)
{
	static struct verdicts verdicts;

	(void)state;
	begin(&verdicts);
	for (unsigned int i = 0; i < BATCH; i++)
		give(&verdicts, 0, arrive(0), REPLACED, contents, 60000);
	assert_int_equal(verdicts_send(&verdicts), 0);
	assert_int_equal(count_fate(REPLACED), BATCH);
	assert_true(largest < 256 * 1024);
}

/* Once or twice is no matter: it is tried again, and all is as it should be. */
static void a_short_want_is_waited_for(void **state)
{
	static const int errors[] = { ENOBUFS, ENOMEM, EAGAIN, EINTR };
	static struct verdicts verdicts;

	(void)state;
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		begin(&verdicts);
		give(&verdicts, 0, arrive(0), ACCEPTED, NULL, 0);
		give(&verdicts, 1, arrive(1), REPLACED, contents, 50);
		fail_with(errors[i], 2);
		assert_int_equal(verdicts_send(&verdicts), 0);
		assert_int_equal(kernel[0][1].fate, ACCEPTED);
		assert_int_equal(kernel[1][1].fate, REPLACED);
		assert_int_equal(verdicts.retries, 2);
		assert_int_equal(verdicts.unsent, 0);
	}
}

/* A longer one costs the packets, at once or as soon as the kernel listens; and no later one. */
static void a_long_want_costs_the_packets(void **state)
{
	static struct verdicts verdicts;

	(void)state;
	for (unsigned int times = 3; times < 40; times++) {
		unsigned int rounds = 0;

		begin(&verdicts);
		for (unsigned int i = 0; i < 3; i++)
			give(&verdicts, 0, arrive(0), i == 1 ? REPLACED : ACCEPTED, contents, 50);
		give(&verdicts, 1, arrive(1), ACCEPTED, NULL, 0);
		fail_with(ENOBUFS, times);
		do {
			assert_int_equal(verdicts_send(&verdicts), 0);
			assert_true(++rounds < 50);
		} while (count_fate(WAITS));
		if (times > 3) {
			assert_int_equal(count_fate(DROPPED), 4);
			assert_int_equal(verdicts.unsent, 4);
		} else {
			assert_int_equal(count_fate(DROPPED), 0);
		}
		give(&verdicts, 0, arrive(0), REPLACED, contents, 60);
		give(&verdicts, 1, arrive(1), ACCEPTED, NULL, 0);
		assert_int_equal(verdicts_send(&verdicts), 0);
		assert_int_equal(kernel[0][4].fate, REPLACED);
		assert_int_equal(kernel[1][2].fate, ACCEPTED);
	}
}

/* An accept that speaks for all up to its packet must not speak for one whose own verdict was lost. */
static void no_accept_speaks_for_the_lost(void **state)
{
	static struct verdicts verdicts;

	(void)state;
	begin(&verdicts);
	give(&verdicts, 0, arrive(0), REPLACED, contents, 50);
	fail_with(ENOBUFS, 5);
	assert_int_equal(verdicts_send(&verdicts), 0);
	assert_int_equal(kernel[0][1].fate, WAITS);
	fail_with(ENOBUFS, 0);
	give(&verdicts, 0, arrive(0), ACCEPTED, NULL, 0);
	give(&verdicts, 0, arrive(0), ACCEPTED, NULL, 0);
	assert_int_equal(verdicts_send(&verdicts), 0);
	assert_int_equal(kernel[0][1].fate, DROPPED);
	assert_int_equal(kernel[0][2].fate, ACCEPTED);
	assert_int_equal(kernel[0][3].fate, ACCEPTED);
}

/* It is said, at once, and without waiting. */
static void a_dead_socket_is_an_error(void **state)
{
	static const int errors[] = { EBADF, ENOTSOCK, EPIPE, ECONNREFUSED };
	static struct verdicts verdicts;

	(void)state;
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		begin(&verdicts);
		give(&verdicts, 0, arrive(0), ACCEPTED, NULL, 0);
		fail_with(errors[i], 8);
		assert_int_equal(verdicts_send(&verdicts), -errors[i]);
		assert_int_equal(calls, 1);
	}
	/* Also where it was noticed before. */
	begin(&verdicts);
	fail_with(EBADF, 1);
	for (unsigned int i = 0; i < 5; i++)
		give(&verdicts, 0, arrive(0), REPLACED, contents, 60000);
	assert_int_equal(verdicts_send(&verdicts), -EBADF);
}

static enum fate wanted_fate(void)
{
	const unsigned int number = unit_pick(10);

	return number < 6 ? ACCEPTED : number < 9 ? REPLACED : DROPPED;
}

/* Some hundred batches, with a kernel that fails again and again. */
static void random_wants(void **state)
{
	static const int errors[] = { ENOBUFS, ENOMEM, EAGAIN, EINTR, EPERM };
	static struct verdicts verdicts;

	(void)state;
	for (unsigned int round = 0; round < 40; round++) {
		begin(&verdicts);
		while (ids[0] < PACKETS - 2 * BATCH && ids[1] < PACKETS - 2 * BATCH) {
			const unsigned int count = unit_pick(BATCH + 1);

			fail_with(errors[unit_pick(5)], unit_pick(4) ? 0 : unit_pick(9));
			for (unsigned int i = 0; i < count; i++) {
				const unsigned int queue = unit_pick(4) == 0;
				const uint32_t id = arrive(queue);

				give(&verdicts, queue, id, wanted_fate(), contents,
				     unit_pick(20) ? 20 + unit_pick(1500) : unit_pick(65532));
			}
			assert_int_equal(verdicts_send(&verdicts), 0);
		}
		fail_with(0, 0);
		assert_int_equal(verdicts_send(&verdicts), 0);
		assert_int_equal(count_fate(WAITS), 0);
		for (unsigned int queue = 0; queue < QUEUES; queue++) {
			for (unsigned int id = 1; id <= ids[queue]; id++) {
				const struct packet *packet = &kernel[queue][id];

				assert_int_equal(packet->verdicts, 1);
				assert_true(packet->fate == packet->wanted || packet->fate == DROPPED);
			}
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(verdicts_reach_their_packets),
		cmocka_unit_test(a_run_is_one_message),
		cmocka_unit_test(what_is_too_long_is_dropped),
		cmocka_unit_test(large_ones_are_split),
		cmocka_unit_test(a_short_want_is_waited_for),
		cmocka_unit_test(a_long_want_costs_the_packets),
		cmocka_unit_test(no_accept_speaks_for_the_lost),
		cmocka_unit_test(a_dead_socket_is_an_error),
		cmocka_unit_test(random_wants),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
