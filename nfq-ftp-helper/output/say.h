/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * say - a sentence on standard error, to whoever has started the program: "nfq-ftp-helper: ..." and the end of its line.
 *
 * Whatever names and values of others stand in it: it is one line, and no terminal obeys anything in it (visible.h). What the daemon says while it
 * runs is daemon/log's.
 *
 * And texts for people that are longer than a line: on standard output.
 */
#ifndef OUTPUT_SAY_H
#define OUTPUT_SAY_H

#include <stdio.h>

#define SAY_PREFIX "nfq-ftp-helper: "

void say_sentence(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The same to elsewhere. */
void say_to(FILE *stream, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Such a line without the program's name before it: of an answer. */
void say_line(FILE *stream, const char *format, ...) __attribute__((format(printf, 2, 3)));

#define SAY_WIDTH 100

/* A text behind a label, in as many lines of SAY_WIDTH as it takes, from this column on. */
void say_wrapped(FILE *out, const char *label, int column, const char *text);

#endif
