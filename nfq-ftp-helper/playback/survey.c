// SPDX-License-Identifier: GPL-2.0-or-later
#include "survey.h"

#include "model/index.h"

#include <stdlib.h>

/* So many packets with a checksum, and so many times as many wrong ones as right ones: their sender's are of no use. */
#define TELLING	     3
#define WRONG_TO_ONE 3

#define PORT_UNPRIVILEGED 1024

enum kind {
	HOSTS,	   /* from one address to another: what their checksums are */
	CONTROL,   /* between two addresses there is a control connection: both ways, as the inside sees them */
	ANNOUNCED, /* an address of a control connection, and a port that it was about */
	KINDS,
};

struct entry {
	struct index_link link;
	struct tuple key; /* ANNOUNCED: the destination is of no meaning */
	uint64_t right, wrong;
};

struct survey {
	const struct nat *nat;
	struct index index[KINDS];
	uint64_t right, wrong; /* of all */
};

struct survey *survey_new(const struct nat *nat)
{
	struct survey *survey = calloc(1, sizeof(*survey));

	if (survey)
		survey->nat = nat;
	return survey;
}

static void free_entry(void *context, struct index_link *link)
{
	(void)context;
	free(index_entry(link, struct entry, link));
}

void survey_free(struct survey *survey)
{
	if (!survey)
		return;
	for (unsigned int kind = 0; kind < KINDS; kind++) {
		index_each(&survey->index[kind], free_entry, NULL);
		index_free(&survey->index[kind]);
	}
	free(survey);
}

static uint64_t hash(const struct tuple *key)
{
	return index_hash_ends(&key->src, &key->dst);
}

static struct entry *find(const struct survey *survey, enum kind kind, const struct tuple *key)
{
	struct index_link *link = index_first(&survey->index[kind], hash(key));

	for (; link; link = index_next(link)) {
		struct entry *entry = index_entry(link, struct entry, link);

		if (tuple_equal(&entry->key, key))
			return entry;
	}
	return NULL;
}

/* Find or make it; NULL: no memory. */
static struct entry *make(struct survey *survey, enum kind kind, const struct tuple *key)
{
	struct entry *entry = find(survey, kind, key);

	if (entry)
		return entry;
	entry = calloc(1, sizeof(*entry));
	if (!entry)
		return NULL;
	entry->key = *key;
	if (index_insert(&survey->index[kind], &entry->link, hash(key)) == 0)
		return entry;
	free(entry);
	return NULL;
}

static struct tuple hosts_of(const struct endpoint *src, const struct endpoint *dst)
{
	struct tuple hosts = { .src = *src, .dst = *dst };

	hosts.src.port = 0;
	hosts.dst.port = 0;
	return hosts;
}

static int note_control(struct survey *survey, const struct segment *segment)
{
	const struct endpoint src = nat_map(survey->nat, &segment->src, MODEL_INSIDE);
	const struct endpoint dst = nat_map(survey->nat, &segment->dst, MODEL_INSIDE);
	const struct tuple hosts = hosts_of(&src, &dst), back = tuple_inverse(&hosts);

	return make(survey, CONTROL, &hosts) && make(survey, CONTROL, &back) ? 0 : -ENOMEM;
}

int survey_take(struct survey *survey, const struct capture_segment *view, bool control)
{
	const enum capture_checksum checksum = capture_segment_checksum(view);
	const bool wrong = checksum == CHECKSUM_WRONG;
	const struct tuple hosts = hosts_of(&view->segment.src, &view->segment.dst);
	struct entry *entry;

	if (control && note_control(survey, &view->segment))
		return -ENOMEM;
	if (!wrong && checksum != CHECKSUM_RIGHT)
		return 0;
	entry = make(survey, HOSTS, &hosts);
	if (!entry)
		return -ENOMEM;
	entry->right += !wrong;
	entry->wrong += wrong;
	survey->right += !wrong;
	survey->wrong += wrong;
	return 0;
}

static void note_port(struct survey *survey, const struct endpoint *host, uint16_t port)
{
	struct tuple key = { .src = nat_map(survey->nat, host, MODEL_INSIDE) };

	key.src.port = port;
	make(survey, ANNOUNCED, &key);
}

void survey_announced(struct survey *survey, const struct report *report)
{
	if (report->port == 0)
		return;
	note_port(survey, &report->client, report->port);
	note_port(survey, &report->server, report->port);
}

static bool tells(uint64_t right, uint64_t wrong)
{
	return right + wrong >= TELLING;
}

static bool no_use(uint64_t right, uint64_t wrong)
{
	return tells(right, wrong) && wrong > WRONG_TO_ONE * right;
}

static bool entry_no_use(const struct survey *survey, const struct entry *entry)
{
	if (tells(entry->right, entry->wrong))
		return no_use(entry->right, entry->wrong);
	return no_use(survey->right, survey->wrong);
}

bool survey_no_checksums(const struct survey *survey, const struct segment *segment)
{
	const struct tuple hosts = hosts_of(&segment->src, &segment->dst);
	const struct entry *entry = find(survey, HOSTS, &hosts);

	return entry && entry_no_use(survey, entry);
}

uint64_t survey_useless(const struct survey *survey, uint64_t *right)
{
	const struct index *index = &survey->index[HOSTS];
	uint64_t useless = 0;

	for (size_t i = 0; i < index->size; i++) {
		for (struct index_link *link = index->buckets[i]; link; link = link->next) {
			const struct entry *entry = index_entry(link, struct entry, link);

			if (entry_no_use(survey, entry))
				useless += entry->wrong;
		}
	}
	*right = survey->right;
	return useless;
}

/* One of its ends has spoken of the port it goes to. */
static bool was_announced(const struct survey *survey, const struct tuple *connection)
{
	const struct endpoint *ends[] = { &connection->src, &connection->dst };

	for (unsigned int i = 0; i < 2; i++) {
		struct tuple key = { .src = nat_map(survey->nat, ends[i], MODEL_INSIDE) };

		key.src.port = connection->dst.port;
		if (find(survey, ANNOUNCED, &key))
			return true;
	}
	return false;
}

/* What goes to a port of a service that nobody announced, the web's, is none of FTP's. */
bool survey_related(const struct survey *survey, const struct tuple *connection)
{
	const struct endpoint src = nat_map(survey->nat, &connection->src, MODEL_INSIDE);
	const struct endpoint dst = nat_map(survey->nat, &connection->dst, MODEL_INSIDE);
	const struct tuple hosts = hosts_of(&src, &dst);

	if (was_announced(survey, connection))
		return true;
	return connection->dst.port >= PORT_UNPRIVILEGED && find(survey, CONTROL, &hosts);
}
