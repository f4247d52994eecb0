// SPDX-License-Identifier: GPL-2.0-or-later
#include "found.h"
#include "found_nft_mark.h"
#include "host/program.h"
#include "output/pasted.h"
#include "output/visible.h"

#include <errno.h>
#include <jansson.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct reading {
	struct found *found;
	const json_t *objects;	/* the whole ruleset */
	bool iptables_over_nft; /* as found_nft_read()'s */
};

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

/* Has iptables-save told of this table? */
static bool is_known(const struct reading *reading, const json_t *object)
{
	const struct found_chain *chain = reading->iptables_over_nft ? reading->found->chains : NULL;

	while (chain && (!chain->iptables || strcmp(chain->family, text_of(object, "family")) != 0 ||
			 strcmp(chain->table, text_of(object, "table")) != 0))
		chain = chain->next;
	return chain != NULL;
}

/* Do IP packets pass its hooks? */
static bool is_ip_family(const char *family)
{
	return strcmp(family, "ip") == 0 || strcmp(family, "ip6") == 0 || strcmp(family, "inet") == 0;
}

static int nft_read_chain(struct reading *reading, const json_t *object)
{
	struct found_chain *chain;

	if (is_known(reading, object))
		return 0;
	chain = found_add_chain(reading->found);
	if (!chain)
		return -ENOMEM;
	snprintf(chain->family, sizeof(chain->family), "%s", text_of(object, "family"));
	snprintf(chain->table, sizeof(chain->table), "%s", text_of(object, "table"));
	snprintf(chain->name, sizeof(chain->name), "%s", text_of(object, "name"));
	chain->hook = is_ip_family(chain->family) ? found_hook(text_of(object, "hook")) : FOUND_HOOK_NONE;
	chain->priority = (int)json_integer_value(json_object_get(object, "prio"));
	chain->drops = strcmp(text_of(object, "policy"), "drop") == 0;
	return 0;
}

/* What is @kind ("set", "map", "ct helper") and has this name in the table of a chain. */
static const json_t *named_object(const struct reading *reading, const struct found_chain *chain, const char *kind,
				  const char *name)
{
	for (size_t i = 0; i < json_array_size(reading->objects); i++) {
		const json_t *object = json_object_get(json_array_get(reading->objects, i), kind);

		if (object && strcmp(text_of(object, "name"), name) == 0 &&
		    strcmp(text_of(object, "table"), chain->table) == 0 &&
		    strcmp(text_of(object, "family"), chain->family) == 0)
			return object;
	}
	return NULL;
}

/* What "@name" stands for, as a list; anything else is itself, but for {"set": list}. */
static const json_t *elements(const struct reading *reading, const struct found_chain *chain, const char *kind,
			      const json_t *value)
{
	const char *name = json_string_value(value);
	const json_t *set = json_object_get(value, "set");

	if (name && name[0] == '@')
		return json_object_get(named_object(reading, chain, kind, name + 1), "elem");
	return set ? set : value;
}

/* A port, a range, or a list of both, where each may be dressed up with a timeout or a counter. */
static void nft_read_ports(const struct found *found, struct found_rule *rule, const json_t *right)
{
	const json_t *range = json_object_get(right, "range"), *dressed = json_object_get(right, "elem");
	const json_t *low = range ? json_array_get(range, 0) : right, *high = range ? json_array_get(range, 1) : right;

	if (json_is_integer(low) && json_is_integer(high))
		found_ask(found, rule, (unsigned long)json_integer_value(low), (unsigned long)json_integer_value(high));
	else if (dressed)
		nft_read_ports(found, rule, json_object_get(dressed, "val"));
	for (size_t i = 0; i < json_array_size(right); i++)
		nft_read_ports(found, rule, json_array_get(right, i));
}

/* What a key's or a comparison's value says of the ports; one that cannot be told is another. */
static void nft_ask_ports(const struct found *found, struct found_rule *rule, const json_t *left, const json_t *right)
{
	rule->ports = FOUND_PORTS_ANY;
	rule->from_server |= strcmp(text_of(json_object_get(left, "payload"), "field"), "sport") == 0;
	nft_read_ports(found, rule, right);
	if (rule->ports == FOUND_PORTS_ANY)
		rule->ports = FOUND_PORTS_OTHER;
}

static unsigned int state_of(const json_t *name)
{
	const char *text = json_string_value(name);

	if (text && strcmp(text, "invalid") == 0)
		return FOUND_STATE_INVALID;
	if (text && strcmp(text, "new") == 0)
		return FOUND_STATE_NEW;
	return text && strcmp(text, "related") == 0 ? FOUND_STATE_RELATED : FOUND_STATE_OTHER;
}

/* "related" or ["established", "related"]. */
static unsigned int states_of(const json_t *right)
{
	unsigned int states = json_is_string(right) ? state_of(right) : 0;

	for (size_t i = 0; i < json_array_size(right); i++)
		states |= state_of(json_array_get(right, i));
	return states ? states : FOUND_STATE_OTHER;
}

static unsigned int other_states(unsigned int states)
{
	return FOUND_STATE_OTHER | (~states & (FOUND_STATE_INVALID | FOUND_STATE_RELATED));
}

static bool is_port_field(const json_t *left)
{
	const char *field = text_of(json_object_get(left, "payload"), "field");

	return strcmp(field, "dport") == 0 || strcmp(field, "sport") == 0;
}

static const char *ct_key(const json_t *left)
{
	return text_of(json_object_get(left, "ct"), "key");
}

static bool names_protocol(const json_t *left)
{
	return strcmp(text_of(json_object_get(left, "meta"), "key"), "l4proto") == 0 ||
	       strcmp(text_of(json_object_get(left, "payload"), "field"), "protocol") == 0 ||
	       strcmp(text_of(json_object_get(left, "payload"), "field"), "nexthdr") == 0;
}

/* Does it ask for another protocol than TCP, or for a port of one? */
static bool is_foreign(const json_t *left, const json_t *right)
{
	if (is_port_field(left)) {
		const char *protocol = text_of(json_object_get(left, "payload"), "protocol");

		return strcmp(protocol, "tcp") != 0 && strcmp(protocol, "th") != 0;
	}
	if (!names_protocol(left))
		return false;
	if (json_is_string(right))
		return strcmp(json_string_value(right), "tcp") != 0;
	return json_is_integer(right) && json_integer_value(right) != IPPROTO_TCP;
}

static void nft_read_match(const struct reading *reading, struct found_rule *rule, const json_t *match)
{
	const json_t *left = json_object_get(match, "left");
	const json_t *right = elements(reading, rule->chain, "set", json_object_get(match, "right"));
	/* What is negated asks for something else than its words say. */
	const bool negated = strcmp(text_of(match, "op"), "!=") == 0;
	const char *key = negated ? "" : ct_key(left), *word = json_string_value(right);

	rule->foreign |= !negated && is_foreign(left, right);
	if (found_nft_mark_match(&rule->marks, match))
		rule->marked = true;
	else if (!negated && is_port_field(left))
		nft_ask_ports(reading->found, rule, left, right);
	else if (strcmp(ct_key(left), "state") == 0)
		rule->states = negated ? other_states(states_of(right)) : states_of(right);
	else if (strcmp(key, "label") == 0 && json_is_integer(right)) {
		rule->labelled = true;
		rule->label = (uint8_t)json_integer_value(right);
	} else if (strcmp(key, "helper") == 0)
		snprintf(rule->if_helper, FOUND_HELPER_MAX, "%s", word ? word : "?");
	else
		rule->narrow = true;
	rule->expected |= strcmp(key, "status") == 0 && word && strcmp(word, "expected") == 0;
}

static void nft_read_helper(const struct reading *reading, struct found_rule *rule, const char *name)
{
	const json_t *object = named_object(reading, rule->chain, "ct helper", name);

	rule->verdict = FOUND_ASSIGN;
	snprintf(rule->helper, FOUND_HELPER_MAX, "%s", object ? text_of(object, "type") : "?");
}

static void nft_read_queue(struct found_rule *rule, const json_t *queue)
{
	const json_t *number = json_object_get(queue, "num"), *range = json_object_get(number, "range");
	json_int_t first = json_integer_value(range ? json_array_get(range, 0) : number);
	json_int_t last = range ? json_integer_value(json_array_get(range, 1)) : first;

	rule->verdict = FOUND_QUEUE;
	rule->queues = (struct queue_range){ .given = true, .first = (uint16_t)first, .last = (uint16_t)last };
}

/* {"drop": null}, {"jump": {"target": "x"}}. Return: whether it is one. */
static bool nft_read_verdict(struct found_rule *rule, const json_t *statement)
{
	const json_t *jump = json_object_get(statement, "jump");

	if (!jump)
		jump = json_object_get(statement, "goto");
	if (json_object_get(statement, "accept"))
		rule->verdict = FOUND_ACCEPT;
	else if (json_object_get(statement, "drop") || json_object_get(statement, "reject"))
		rule->verdict = FOUND_DROP;
	else if (jump)
		rule->verdict = FOUND_JUMP;
	if (jump)
		snprintf(rule->target, sizeof(rule->target), "%s", text_of(jump, "target"));
	return rule->verdict != FOUND_NO_VERDICT;
}

/* {"notrack": null}, {"dnat": {"addr": "10.0.0.2", "port": 2121}}. Return: whether it is one of these. */
static bool nft_read_action(struct found_rule *rule, const json_t *statement)
{
	static const struct {
		const char *name;
		enum found_verdict verdict;
	} actions[] = {
		{ "notrack", FOUND_NOTRACK },	{ "dnat", FOUND_TRANSLATE }, { "redirect", FOUND_TRANSLATE },
		{ "synproxy", FOUND_SYNPROXY }, { "flow", FOUND_OFFLOAD },
	};
	const char *key = ct_key(json_object_get(json_object_get(statement, "mangle"), "key"));

	for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++) {
		const json_t *action = json_object_get(statement, actions[i].name);

		if (!action)
			continue;
		rule->verdict = actions[i].verdict;
		rule->to_port = (uint16_t)json_integer_value(json_object_get(action, "port"));
		return true;
	}
	rule->zoned |= strcmp(key, "zone") == 0;
	return strcmp(key, "zone") == 0;
}

static void read_statement(const struct reading *reading, struct found_rule *rule, const json_t *statement)
{
	const json_t *match = json_object_get(statement, "match"), *queue = json_object_get(statement, "queue");
	const char *helper = json_string_value(json_object_get(statement, "ct helper"));

	if (match)
		nft_read_match(reading, rule, match);
	else if (found_nft_mark_set(&rule->marks, json_object_get(statement, "mangle")) ||
		 nft_read_action(rule, statement))
		return;
	else if (queue)
		nft_read_queue(rule, queue);
	else if (!helper && !nft_read_verdict(rule, statement) && !json_object_get(statement, "counter") &&
		 !json_object_get(statement, "log"))
		rule->narrow = true;
	if (helper)
		nft_read_helper(reading, rule, helper);
}

static struct found_rule *add_rule(struct reading *reading, const json_t *object, struct found_chain *chain)
{
	struct found_rule *rule = found_add_rule(reading->found, chain);
	const char *family = text_of(object, "family"), *table = text_of(object, "table");
	const char *name = text_of(object, "chain");
	long long handle = json_integer_value(json_object_get(object, "handle"));
	char pasted_table[FOUND_PASTED_MAX], pasted_name[FOUND_PASTED_MAX];

	if (!rule)
		return NULL;
	snprintf(rule->text, sizeof(rule->text), "nft rule %.7s %.60s %.60s handle %lld", family, table, name, handle);
	snprintf(rule->removal, sizeof(rule->removal), "nft delete rule %.7s %s %s handle %lld", family,
		 pasted(table, pasted_table, sizeof(pasted_table)), pasted(name, pasted_name, sizeof(pasted_name)),
		 handle);
	return rule;
}

/* A key of a map. */
static void read_key(const struct reading *reading, struct found_rule *rule, const json_t *key, const json_t *value)
{
	if (strcmp(ct_key(key), "state") == 0)
		rule->states = states_of(value);
	else if (is_port_field(key))
		nft_ask_ports(reading->found, rule, key, value);
	else
		rule->narrow = true;
}

/* Each entry of a map, of verdicts or of helpers, is a rule of its own. */
static int read_map(struct reading *reading, const json_t *object, struct found_chain *chain, const json_t *map)
{
	const json_t *key = json_object_get(map, "key");
	const json_t *set = elements(reading, chain, "map", json_object_get(map, "data"));

	for (size_t i = 0; i < json_array_size(set); i++) {
		const json_t *entry = json_array_get(set, i), *value = json_array_get(entry, 1);
		struct found_rule *rule = add_rule(reading, object, chain);

		if (!rule)
			return -ENOMEM;
		found_nft_mark_key(&rule->marks, key);
		read_key(reading, rule, key, json_array_get(entry, 0));
		if (json_is_string(value))
			nft_read_helper(reading, rule, json_string_value(value));
		else
			(void)nft_read_verdict(rule, value);
	}
	return 0;
}

static int nft_read_rule(struct reading *reading, const json_t *object)
{
	const json_t *statements = json_object_get(object, "expr");
	struct found_chain *chain = found_chain(reading->found, text_of(object, "family"), text_of(object, "table"),
						text_of(object, "chain"));
	struct found_rule *rule;

	if (is_known(reading, object) || !chain)
		return 0;
	for (size_t i = 0; i < json_array_size(statements); i++) {
		const json_t *statement = json_array_get(statements, i), *map = json_object_get(statement, "vmap");

		if (!map)
			map = json_object_get(json_object_get(statement, "ct helper"), "map");
		if (map)
			return read_map(reading, object, chain, map);
	}
	rule = add_rule(reading, object, chain);
	if (!rule)
		return -ENOMEM;
	for (size_t i = 0; i < json_array_size(statements); i++)
		read_statement(reading, rule, json_array_get(statements, i));
	return 0;
}

/* A table, or what is in one: {"chain": {"family": "ip", "table": "raw", ...}}. A table comes before its contents. */
static int read_table(struct reading *reading, json_t *object)
{
	const json_t *table = json_object_get(object, "table");
	const json_t *content = json_object_iter_value(json_object_iter(object));
	struct found_table *found;

	if (!table) {
		found = found_table(reading->found, text_of(content, "family"), text_of(content, "table"));
		if (found)
			found->contents++;
		return 0;
	}
	found = found_add_table(reading->found);
	if (!found)
		return -ENOMEM;
	snprintf(found->family, sizeof(found->family), "%s", text_of(table, "family"));
	snprintf(found->name, sizeof(found->name), "%s", text_of(table, "name"));
	return 0;
}

/* Chains before rules: these may jump forward. */
static int read_ruleset(struct reading *reading)
{
	const size_t count = json_array_size(reading->objects);
	int error = 0;

	for (size_t i = 0; i < count && !error; i++)
		error = read_table(reading, json_array_get(reading->objects, i));

	for (size_t i = 0; i < count && !error; i++) {
		const json_t *chain = json_object_get(json_array_get(reading->objects, i), "chain");

		error = chain ? nft_read_chain(reading, chain) : 0;
	}
	for (size_t i = 0; i < count && !error; i++) {
		const json_t *rule = json_object_get(json_array_get(reading->objects, i), "rule");

		error = rule ? nft_read_rule(reading, rule) : 0;
	}
	return error;
}

/* All texts in it, wherever: a terminal could obey them, and they might be no JSON; jansson reads nothing that lies too deep for this. */
static int make_printable(json_t *value)
{
	const char *key;
	json_t *part;
	size_t index;
	char *text;
	int error = 0;

	json_array_foreach (value, index, part) {
		error |= make_printable(part);
	}
	json_object_foreach (value, key, part) {
		error |= make_printable(part);
	}
	if (!json_is_string(value))
		return error;
	text = strdup(json_string_value(value));
	if (!text)
		return -ENOMEM;
	visible_only(text);
	error = json_string_set(value, text) ? -ENOMEM : 0;
	free(text);
	return error;
}

int found_nft_read(struct found *found, bool iptables_over_nft)
{
	const char *const list[] = { "nft", "-j", "list", "ruleset", NULL };
	char *text = NULL;
	struct reading reading = { .found = found, .iptables_over_nft = iptables_over_nft };
	int error = program_run(list, NULL, &text, NULL);
	json_t *root;

	if (error)
		return error;
	root = json_loads(text, 0, NULL);
	free(text);
	reading.objects = json_object_get(root, "nftables");
	error = reading.objects ? make_printable(root) : -EBADMSG;
	if (!error)
		error = read_ruleset(&reading);
	json_decref(root);
	return error;
}
