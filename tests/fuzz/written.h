/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * written - what a ladder is written as: a terminal must have nothing to obey, and each page must be closed tag by tag, with no tag in it that
 * the writer did not mean.
 */
#ifndef FUZZ_WRITTEN_H
#define FUZZ_WRITTEN_H

#include "core/wire/bytes.h"
#include "explain/writer.h"
#include "heard.h"

#define WRITTEN_COLUMNS 100
#define WRITTEN_DEPTH	32
#define WRITTEN_TAG_MAX 16

ONLY_CHECKS static inline void written_check_text(const char *text, size_t length)
{
	size_t column = 0;

	for (size_t i = 0; i < length; i++) {
		MUST(text[i] == '\n' || (text[i] >= ' ' && text[i] <= '~'));
		column = text[i] == '\n' ? 0 : column + 1;
		MUST(column <= WRITTEN_COLUMNS);
	}
}

ONLY_CHECKS static inline size_t written_name(const char *tag, char name[WRITTEN_TAG_MAX])
{
	size_t length = 0;

	while (length < WRITTEN_TAG_MAX - 1 &&
	       ((tag[length] >= 'a' && tag[length] <= 'z') || bytes_is_digit((uint8_t)tag[length]))) {
		name[length] = tag[length];
		length++;
	}
	name[length] = '\0';
	return length;
}

/* By hand: libFuzzer takes notes of what strcmp() is given. */
ONLY_CHECKS static inline bool written_same(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return *a == *b;
}

ONLY_CHECKS static inline bool written_is_one_of(const char *name, const char *const *names)
{
	while (*names && (**names != *name || !written_same(name, *names)))
		names++;
	return *names;
}

ONLY_CHECKS static inline void written_check_markup(const char *text, size_t length)
{
	static const char *const empty[] = { "meta", "input", NULL }, *const raw[] = { "style", "script", NULL };
	static const char *const known[] = { "html",   "head", "meta",	"title", "style",  "body",    "header",
					     "h1",     "h2",   "code",	"p",	 "nav",	   "ol",      "li",
					     "a",      "form", "label", "input", "output", "main",    "section",
					     "dl",     "dt",   "dd",	"div",	 "span",   "details", "summary",
					     "script", "svg",  "rect",	"text",	 "path",   "circle",  NULL };
	char open[WRITTEN_DEPTH][WRITTEN_TAG_MAX], name[WRITTEN_TAG_MAX];
	size_t depth = 0;
	const char *at = text, *const end = text + length;

	for (; at < end; at++) {
		MUST((uint8_t)*at >= ' ' || *at == '\n' || *at == '\t');
		if (*at != '<' || (at[1] == '!' && at == text))
			continue;
		if (at[1] == '/') {
			MUST(depth > 0);
			depth--;
			MUST(written_name(at + 2, name) > 0 && written_same(open[depth], name));
			at = strchr(at, '>');
			continue;
		}
		MUST(written_name(at + 1, name) > 0 && written_is_one_of(name, known));
		at = strchr(at, '>');
		MUST(at && at < end);
		if (at[-1] == '/' || written_is_one_of(name, empty))
			continue;
		MUST(depth < WRITTEN_DEPTH);
		memcpy(open[depth++], name, WRITTEN_TAG_MAX);
		if (!written_is_one_of(name, raw))
			continue;
		at = strstr(at + 1, "</");
		MUST(at);
		at--;
	}
	MUST(depth == 0);
}

/* By one of the writers. */
ONLY_CHECKS static inline void written_check(const struct ladder *ladder, enum format format)
{
	static struct heard heard;
	const char *text;
	size_t length;

	MUST(writers[format](ladder, heard_begin(&heard)) == 0);
	text = heard_end(&heard, &length);
	MUST(strlen(text) == length);
	if (format == FORMAT_TEXT)
		written_check_text(text, length);
	else
		written_check_markup(text, length);
}

#endif
