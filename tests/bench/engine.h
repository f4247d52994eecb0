/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * engine - the benchmarks of the engine alone: no kernel, no lab. Each prints lines as measure.h describes them.
 */
#ifndef BENCH_ENGINE_H
#define BENCH_ENGINE_H

#include "stage.h"

/* Made-up dialogues, one row a kind of packet. */
void bench_dialogues(unsigned int rounds);

/* The control connections of every NAME.inside.pcap that DIRECTORY/manifest.tsv names, with its NAT. */
void bench_captures(const char *directory, unsigned int rounds);

/* Uninteresting packets of that many sessions, in random order. @directory: as for stage_open(). */
void bench_scale(uint32_t sessions, unsigned int packets, enum stage_memory memory, const char *directory);

/* Bytes a session takes. */
void bench_bytes(void);

#endif
