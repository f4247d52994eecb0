/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * stage - an engine with its table and model, fed in batches as the daemon feeds its own.
 */
#ifndef BENCH_STAGE_H
#define BENCH_STAGE_H

#include "core/session/session.h"
#include "model/model.h"

/* Packets that are handled together. The daemon takes what waits, up to 64. */
#define STAGE_BATCH 32

enum stage_memory {
	STAGE_FILE, /* a file of a tmpfs, as the daemon's */
	STAGE_ANONYMOUS,
	STAGE_HUGE, /* anonymous, with MADV_HUGEPAGE */
};

struct stage {
	struct engine engine;
	struct model *model;
	void *memory; /* the table */
	void *copy;   /* of it: stage_keep() */
	size_t bytes;
	uint64_t now;
	uint8_t *output; /* STAGE_BATCH buffers */
	struct arrival arrivals[STAGE_BATCH];
	bool tracked[STAGE_BATCH];
	size_t verdicts[3]; /* by enum verdict, since stage_count() */
};

/* A packet; the bytes are changed where the session changes them in place. */
struct packet {
	uint8_t *data;
	size_t length;
};

/* @directory: where STAGE_FILE's file is, for as long as it takes to open it. */
void stage_open(struct stage *stage, const struct table_size *size, enum seqadj_by seqadj_by, enum stage_memory kind,
		const char *directory);
void stage_close(struct stage *stage);

/* Hand over one batch. */
void stage_feed(struct stage *stage, const struct packet *packets, size_t count);

/* Start to count verdicts. */
void stage_count(struct stage *stage);

/* Remember what the table holds, and put it back. */
void stage_keep(struct stage *stage);
void stage_restore(struct stage *stage);

/* The engine asks the model; between them, from now on, somebody does not count the model's allocations, and keeps its answers of one round. */
void stage_watch(struct stage *stage);

/* A round with these answers, which cost nothing: to see what the engine costs alone, it is the packets of that round that have to come again. */
void stage_answer_again(struct stage *stage);

/* The model itself, as at first. */
void stage_ask_model(struct stage *stage);

/* How much of the output buffers has been written to, after stage_wipe(): 0 where no packet was copied. */
void stage_wipe(struct stage *stage);
size_t stage_written(const struct stage *stage);

#endif
