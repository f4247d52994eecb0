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

/* ---- a conntrack in front of the model, that says whose allocations are whose ---- */

struct watched {
	struct conntrack conntrack;
	struct conntrack *inner;
};

static struct watched watched;

static int watch_find(struct conntrack *conntrack, const struct tuple *seen, uint16_t zone, struct binding *binding,
		      enum direction *direction)
{
	int result;

	(void)conntrack;
	measure_allowed(true);
	result = watched.inner->ops->find(watched.inner, seen, zone, binding, direction);
	measure_allowed(false);
	return result;
}

static int watch_expect(struct conntrack *conntrack, const struct binding *master,
			const struct expectation *expectation)
{
	int result;

	(void)conntrack;
	measure_allowed(true);
	result = watched.inner->ops->expect(watched.inner, master, expectation);
	measure_allowed(false);
	return result;
}

static void watch_unexpect(struct conntrack *conntrack, const struct binding *master,
			   const struct expectation *expectation)
{
	(void)conntrack;
	measure_allowed(true);
	watched.inner->ops->unexpect(watched.inner, master, expectation);
	measure_allowed(false);
}

static int watch_adjust_seq(struct conntrack *conntrack, const struct binding *master, enum direction direction,
			    const struct seqadj *adjustment)
{
	int result;

	(void)conntrack;
	measure_allowed(true);
	result = watched.inner->ops->adjust_seq(watched.inner, master, direction, adjustment);
	measure_allowed(false);
	return result;
}

static const struct conntrack_ops watch_ops = {
	.find = watch_find,
	.expect = watch_expect,
	.unexpect = watch_unexpect,
	.adjust_seq = watch_adjust_seq,
};

void stage_watch(struct stage *stage)
{
	struct conntrack *inner = model_conntrack(stage->model);

	watched = (struct watched){ { .ops = &watch_ops, .guarded = inner->guarded }, inner };
	stage->engine.conntrack = &watched.conntrack;
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
