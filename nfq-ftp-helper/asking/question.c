// SPDX-License-Identifier: GPL-2.0-or-later
#include "question.h"

#include "asking.h"

#include <arpa/inet.h>
#include <stdlib.h>

const char *const question_names[QUESTIONS + 1] = {
	[QUESTION_STATUS] = "status",	[QUESTION_SESSIONS] = "sessions", [QUESTION_EXPECTATIONS] = "expectations",
	[QUESTION_METRICS] = "metrics", [QUESTION_FOLLOW] = "follow",
};

const char *const question_events[REPORT_END + 1] = {
	[REPORT_REWRITE] = "rewrite", [REPORT_EXPECT] = "expect", [REPORT_UNEXPECT] = "unexpect",
	[REPORT_REFUSE] = "refuse",   [REPORT_OPAQUE] = "opaque", [REPORT_LIMIT] = "limit",
	[REPORT_ONE_WAY] = "one-way", [REPORT_LINE] = "line",	  [REPORT_BEGIN] = "opened",
	[REPORT_END] = "closed",
};

const char *const question_states[] = {
	[SESSION_FREE] = "any",	     [SESSION_HANDSHAKE] = "handshake", [SESSION_GREETING] = "greeting",
	[SESSION_MIDDLE] = "middle", [SESSION_EXCHANGE] = "exchange",	[SESSION_READY] = "ready",
	[SESSION_TLS] = "tls",	     [SESSION_OPAQUE] = "opaque",	[SESSION_CLOSED] = "closed",
	[SESSION_CLOSED + 1] = NULL,
};

const char *question_state_name(unsigned int state)
{
	return state <= SESSION_CLOSED ? question_states[state] : NULL;
}

bool question_network(const char *text, struct network *network)
{
	const bool ipv6 = strchr(text, ':') != NULL;
	const unsigned long most = network_whole(ipv6 ? FAMILY_IPV6 : FAMILY_IPV4);
	char address[INET6_ADDRSTRLEN], *end;
	const size_t length = strcspn(text, "/");
	unsigned long bits = most;

	if (length >= sizeof(address))
		return false;
	memcpy(address, text, length);
	address[length] = '\0';
	if (text[length]) {
		if (text[length + 1] < '0' || text[length + 1] > '9')
			return false;
		bits = strtoul(text + length + 1, &end, 10);
		if (*end || bits > most)
			return false;
	}
	*network = (struct network){ .family = ipv6 ? FAMILY_IPV6 : FAMILY_IPV4, .bits = (uint8_t)bits };
	return inet_pton(ipv6 ? AF_INET6 : AF_INET, address, network->address) == 1 && !network_trim(network);
}

bool question_find_name(const char *const names[], const char *text, unsigned int *index)
{
	for (*index = 0; text && names[*index]; ++*index) {
		if (strcmp(names[*index], text) == 0)
			return true;
	}
	return false;
}

static const char *read_filter(const json_t *object, struct filter *filter)
{
	const json_t *address = json_object_get(object, "address");
	const json_t *port = json_object_get(object, "port");
	const json_t *state = json_object_get(object, "state");
	const json_int_t number = json_integer_value(port);

	if (address && !(json_is_string(address) && question_network(json_string_value(address), &filter->network)))
		return "`address' is no address or network";
	if (port && (number < 1 || number > UINT16_MAX))
		return "`port' is no number from 1 to 65535";
	if (state && !question_find_name(question_states, json_string_value(state), &filter->state))
		return "`state' is no session's state";
	filter->port = (uint16_t)number;
	return NULL;
}

const char *question_read(const char *line, size_t length, struct question *question)
{
	json_t *object = json_loadb(line, length, JSON_REJECT_DUPLICATES, NULL);
	const char *complaint = NULL;
	unsigned int kind;

	*question = (struct question){ .kind = QUESTIONS };
	if (!json_is_object(object))
		complaint = "it is no JSON object";
	else if (json_integer_value(json_object_get(object, "version")) != ASKING_VERSION)
		complaint = "its `version' is not 1, which is the only one that is known here";
	else if (!question_find_name(question_names, json_string_value(json_object_get(object, "ask")), &kind))
		complaint = "what it is to `ask' is not known here";
	else
		complaint = read_filter(object, &question->filter);
	question->lines = json_is_true(json_object_get(object, "lines"));
	if (!complaint)
		question->kind = (enum question_kind)kind;
	json_decref(object);
	return complaint;
}

json_t *question_write(const struct question *question)
{
	const struct filter *filter = &question->filter;
	json_t *object = json_pack("{s:i, s:s}", "version", ASKING_VERSION, "ask", question_names[question->kind]);
	char network[NETWORK_PRINT_MAX];

	if (filter->network.family)
		json_object_set_new(object, "address", json_string(network_print(&filter->network, network)));
	if (question->lines)
		json_object_set_new(object, "lines", json_true());
	if (filter->port)
		json_object_set_new(object, "port", json_integer(filter->port));
	if (filter->state)
		json_object_set_new(object, "state", json_string(question_state_name(filter->state)));
	return object;
}

bool filter_takes_ends(const struct filter *filter, const struct endpoint *client, const struct endpoint *server)
{
	if (filter->port && client->port != filter->port && server->port != filter->port)
		return false;
	return !filter->network.family || network_has(&filter->network, client) ||
	       network_has(&filter->network, server);
}

bool filter_takes(const struct filter *filter, const struct session *session)
{
	struct endpoint client, server;

	flow_ends(&session->key, &client, &server);
	return (!filter->state || session->state == filter->state) && filter_takes_ends(filter, &client, &server);
}
