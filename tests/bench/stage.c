// SPDX-License-Identifier: GPL-2.0-or-later
#include "stage.h"

#include "measure.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define OUTPUT_BYTES (65535 + 128)
#define UNTOUCHED    0xa5
#define START_TIME   1000000

/*
 * ---- two conntracks in the model's place: one asks it, says whose allocations are whose, and keeps its answers; the other gives these again,
 * in the same order, and does no work ----
 */

#define ANSWERS_MAX  65536
#define BINDINGS_MAX 4096

static struct {
	struct conntrack conntrack;
	struct conntrack *inner;
	size_t answered, found; /* so many of these, in a round */
	int answers[ANSWERS_MAX];
	struct binding bindings[BINDINGS_MAX]; /* of what was found */
	enum direction directions[BINDINGS_MAX];
} between;

static int keep(int answer)
{
	measure_allowed(false);
	if (between.answered == ANSWERS_MAX || between.found == BINDINGS_MAX)
		measure_fail("more is asked of conntrack than there is room for its answers");
	return between.answers[between.answered++] = answer;
}

static int watch_find(struct conntrack *conntrack, const struct tuple *seen, uint16_t zone, struct binding *binding,
		      enum direction *direction)
{
	int answer;

	(void)conntrack;
	measure_allowed(true);
	answer = between.inner->ops->find(between.inner, seen, zone, binding, direction);
	between.bindings[between.found] = *binding;
	between.directions[between.found++] = *direction;
	return keep(answer);
}

static int watch_expect(struct conntrack *conntrack, const struct binding *master,
			const struct expectation *expectation)
{
	(void)conntrack;
	measure_allowed(true);
	return keep(between.inner->ops->expect(between.inner, master, expectation));
}

static void watch_unexpect(struct conntrack *conntrack, const struct binding *master,
			   const struct expectation *expectation)
{
	(void)conntrack;
	measure_allowed(true);
	between.inner->ops->unexpect(between.inner, master, expectation);
	measure_allowed(false);
}

static int watch_adjust_seq(struct conntrack *conntrack, const struct binding *master, enum direction direction,
			    const struct seqadj *adjustment)
{
	(void)conntrack;
	measure_allowed(true);
	return keep(between.inner->ops->adjust_seq(between.inner, master, direction, adjustment));
}

static const struct conntrack_ops watch_ops = {
	.find = watch_find,
	.expect = watch_expect,
	.unexpect = watch_unexpect,
	.adjust_seq = watch_adjust_seq,
};

static int again_find(struct conntrack *conntrack, const struct tuple *seen, uint16_t zone, struct binding *binding,
		      enum direction *direction)
{
	(void)conntrack, (void)seen, (void)zone;
	*binding = between.bindings[between.found];
	*direction = between.directions[between.found++];
	return between.answers[between.answered++];
}

static int again_expect(struct conntrack *conntrack, const struct binding *master,
			const struct expectation *expectation)
{
	(void)conntrack, (void)master, (void)expectation;
	return between.answers[between.answered++];
}

static void again_unexpect(struct conntrack *conntrack, const struct binding *master,
			   const struct expectation *expectation)
{
	(void)conntrack, (void)master, (void)expectation;
}

static int again_adjust_seq(struct conntrack *conntrack, const struct binding *master, enum direction direction,
			    const struct seqadj *adjustment)
{
	(void)conntrack, (void)master, (void)direction, (void)adjustment;
	return between.answers[between.answered++];
}

static const struct conntrack_ops again_ops = {
	.find = again_find,
	.expect = again_expect,
	.unexpect = again_unexpect,
	.adjust_seq = again_adjust_seq,
};

static void put_between(struct stage *stage, const struct conntrack_ops *ops)
{
	between.inner = model_conntrack(stage->model);
	between.conntrack = (struct conntrack){ .ops = ops, .guarded = between.inner->guarded };
	between.answered = between.found = 0;
	stage->engine.conntrack = &between.conntrack;
}

void stage_watch(struct stage *stage)
{
	put_between(stage, &watch_ops);
}

void stage_answer_again(struct stage *stage)
{
	put_between(stage, &again_ops);
}

void stage_ask_model(struct stage *stage)
{
	stage->engine.conntrack = model_conntrack(stage->model);
}

/* ---- memory ---- */

static void *map_file(size_t bytes, const char *directory)
{
	char path[256];
	void *memory;
	int fd;

	if (snprintf(path, sizeof(path), "%s/nfq-ftp-bench.XXXXXX", directory) >= (int)sizeof(path))
		measure_fail("the directory's name is too long: `%s'", directory);
	fd = mkstemp(path);
	if (fd < 0)
		measure_fail("%s: %s", path, strerror(errno));
	unlink(path);
	if (ftruncate(fd, (off_t)bytes) < 0)
		measure_fail("%s: %s", path, strerror(errno));
	memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	return memory;
}

static void *map(size_t bytes, enum stage_memory kind, const char *directory)
{
	void *memory;

	if (kind == STAGE_FILE)
		memory = map_file(bytes, directory);
	else
		memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		measure_fail("%zu bytes of memory: %s", bytes, strerror(errno));
	if (kind != STAGE_ANONYMOUS)
		madvise(memory, bytes, MADV_HUGEPAGE); /* where a tmpfs allows for it */
	return memory;
}

void stage_open(struct stage *stage, const struct table_size *size, enum seqadj_by seqadj_by, enum stage_memory kind,
		const char *directory)
{
	static const uint64_t seed[2] = { 0x0123456789abcdef, 0xfedcba9876543210 };

	*stage = (struct stage){ .bytes = table_bytes(size), .now = START_TIME };
	stage->memory = map(stage->bytes, kind, directory);
	stage->output = malloc((size_t)STAGE_BATCH * OUTPUT_BYTES);
	stage->model = model_new(seqadj_by);
	stage->engine = (struct engine){ .policy = policy_default, .random = 1 };
	stage->engine.table = table_open(stage->memory, size, seed, NULL);
	if (!stage->output || !stage->model || !stage->engine.table)
		measure_fail("out of memory");
	stage->engine.conntrack = model_conntrack(stage->model);
	stage->engine.policy.client_rate = 1000000;
	/* Few clients fill the table: it is not their shares that is measured. */
	stage->engine.policy.exempt[0] = (struct network){ .family = FAMILY_IPV4 };
	stage->engine.policy.exempt[1] = (struct network){ .family = FAMILY_IPV6 };
	stage->engine.policy.exempt_count = 2;
}

void stage_close(struct stage *stage)
{
	munmap(stage->memory, stage->bytes);
	model_free(stage->model);
	free(stage->output);
	free(stage->copy);
}

void stage_keep(struct stage *stage)
{
	free(stage->copy);
	stage->copy = malloc(stage->bytes);
	if (!stage->copy)
		measure_fail("out of memory");
	memcpy(stage->copy, stage->memory, stage->bytes);
}

void stage_restore(struct stage *stage)
{
	memcpy(stage->memory, stage->copy, stage->bytes);
}

/* ---- packets ---- */

void stage_feed(struct stage *stage, const struct packet *packets, size_t count)
{
	struct engine *engine = &stage->engine;
	struct arrival *arrivals = stage->arrivals;

	for (size_t i = 0; i < count; i++)
		stage->tracked[i] = !session_arrive(engine, &arrivals[i], packets[i].data, packets[i].length, false, 0);
	session_prefetch(engine, arrivals, (unsigned int)count);
	for (size_t i = 0; i < count; i++) {
		struct output output = { .buffer = stage->output + i * OUTPUT_BYTES, .capacity = OUTPUT_BYTES };

		if (stage->tracked[i])
			stage->verdicts[session_input(engine, &arrivals[i], stage->now, &output)]++;
	}
}

void stage_count(struct stage *stage)
{
	memset(stage->verdicts, 0, sizeof(stage->verdicts));
}

void stage_wipe(struct stage *stage)
{
	memset(stage->output, UNTOUCHED, (size_t)STAGE_BATCH * OUTPUT_BYTES);
}

size_t stage_written(const struct stage *stage)
{
	size_t written = 0;

	for (size_t i = 0; i < (size_t)STAGE_BATCH * OUTPUT_BYTES; i++)
		written += stage->output[i] != UNTOUCHED;
	return written;
}
