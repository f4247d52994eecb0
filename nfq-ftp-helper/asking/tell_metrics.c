// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Metrics as text: OpenMetrics 1.0, or the older format of Prometheus, which node_exporter reads from files. They differ in a
 * counter's family, which has its "_total" in the older one only, in units, and in the end.
 */
#include "output/say.h"
#include "tell.h"

#define PREFIX "nfq_ftp_helper_"

/* It stands in each sample's line: a long one would make much of a short answer. */
#define WORD_MAX 64

/* What a label's value may not have as it is; a help text has no quotes to mind. It may be a terminal that it goes to. */
static void put_escaped(FILE *out, const char *text, bool quotes)
{
	for (; text && *text; text++) {
		if (*text == '\\' || (quotes && *text == '"'))
			fprintf(out, "\\%c", *text);
		else if (*text == '\n')
			fputs("\\n", out);
		else
			fputc(*text < ' ' || *text > '~' ? '?' : *text, out);
	}
}

/* What stands outside of all quotes: else whoever has taken the daemon over writes others' metrics into a textfile. */
static bool is_word(const char *text)
{
	return text && *text && strlen(text) < WORD_MAX && !text[strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_")];
}

static void put_number(FILE *out, const json_t *number)
{
	if (json_is_integer(number))
		fprintf(out, " %lld\n", (long long)json_integer_value(number));
	else
		fprintf(out, " %.15g\n", json_number_value(number));
}

static void put_head(FILE *out, const json_t *line, const char *total, bool older)
{
	const char *name = json_string_value(json_object_get(line, "name"));
	const char *unit = json_string_value(json_object_get(line, "unit"));

	fprintf(out, "# TYPE " PREFIX "%s%s %s\n", name, total, json_string_value(json_object_get(line, "type")));
	if (unit && !older)
		fprintf(out, "# UNIT " PREFIX "%s %s\n", name, unit);
	fprintf(out, "# HELP " PREFIX "%s%s ", name, total);
	put_escaped(out, json_string_value(json_object_get(line, "help")), !older);
	fputc('\n', out);
}

static void put_samples(FILE *out, const json_t *line, const char *ending)
{
	const char *name = json_string_value(json_object_get(line, "name"));
	const json_t *sample;
	size_t index;

	json_array_foreach (json_object_get(line, "samples"), index, sample) {
		json_t *labels = json_object_get(sample, "labels"), *value;
		const char *label, *before = "{";

		fprintf(out, PREFIX "%s%s", name, ending);
		json_object_foreach (labels, label, value) {
			fputs(before, out);
			put_escaped(out, label, true);
			fputs("=\"", out);
			put_escaped(out, json_string_value(value), true);
			fputc('"', out);
			before = ",";
		}
		fputs(json_object_size(labels) ? "}" : "", out);
		put_number(out, json_object_get(sample, "value"));
	}
}

static void put_histogram(FILE *out, const json_t *line)
{
	const char *name = json_string_value(json_object_get(line, "name"));
	const json_t *bucket;
	size_t index;

	json_array_foreach (json_object_get(line, "buckets"), index, bucket) {
		const json_t *bound = json_object_get(bucket, "le");

		if (bound)
			fprintf(out, PREFIX "%s_bucket{le=\"%.15g\"}", name, json_number_value(bound));
		else
			fprintf(out, PREFIX "%s_bucket{le=\"+Inf\"}", name);
		put_number(out, json_object_get(bucket, "count"));
	}
	fprintf(out, PREFIX "%s_count", name);
	put_number(out, json_object_get(line, "count"));
	fprintf(out, PREFIX "%s_sum", name);
	put_number(out, json_object_get(line, "sum"));
}

static bool put_family(struct telling *telling, const json_t *line, bool older)
{
	const char *type = json_string_value(json_object_get(line, "type"));
	const char *unit = json_string_value(json_object_get(line, "unit"));
	const bool counter = type && strcmp(type, "counter") == 0;

	if (!telling->lines) /* the first says nothing else */
		return true;
	if (!is_word(type) || !is_word(json_string_value(json_object_get(line, "name"))) || (unit && !is_word(unit))) {
		say_to(telling->err,
		       "the daemon's answer has a metric in it that none can be called: see who has taken the daemon's place");
		return false;
	}
	put_head(telling->out, line, counter && older ? "_total" : "", older);
	if (strcmp(type, "histogram") == 0)
		put_histogram(telling->out, line);
	else
		put_samples(telling->out, line, counter ? "_total" : "");
	return !ferror(telling->out);
}

bool tell_metric(struct telling *telling, const json_t *line)
{
	return put_family(telling, line, false);
}

void tell_metrics_end(struct telling *telling)
{
	fputs("# EOF\n", telling->out);
}

bool tell_older_metric(struct telling *telling, const json_t *line)
{
	return put_family(telling, line, true);
}
