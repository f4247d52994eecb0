// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A reader a kind, and what they take in words. @at is the member of struct option_values, of the kind's type.
 */
#include "option.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The most networks that an option takes. */
#define OPTION_NETWORKS_MAX 16

_Static_assert(POLICY_EXEMPT_MAX <= OPTION_NETWORKS_MAX && POLICY_LOOSE_MAX <= OPTION_NETWORKS_MAX,
	       "room for their text");

/* Of which struct this member is. */
// clang-format off
#define HOLDER(at, type, member) ((type *)(void *)((char *)(at) - offsetof(type, member)))
// clang-format on

/* The number that @text begins with. Return: what follows it; NULL when there is none, or one beyond the limits. */
static const char *read_digits(const char *text, int base, uint32_t low, uint32_t high, uint32_t *number)
{
	unsigned long long value;
	char *end;

	if (!isdigit((unsigned char)*text))
		return NULL;
	errno = 0;
	value = strtoull(text, &end, base);
	if (errno || value < low || value > high)
		return NULL;
	*number = (uint32_t)value;
	return end;
}

/* And nothing else. */
static bool read_whole(const char *text, uint32_t low, uint32_t high, uint32_t *number)
{
	const char *end = read_digits(text, 10, low, high, number);

	return end && *end == '\0';
}

/* N or A:B, within the row's limits. */
static bool read_range(const struct option_row *row, const char *text, uint32_t *first, uint32_t *last)
{
	const char *end = read_digits(text, 10, row->low, row->high, first);

	*last = *first;
	if (end && *end == ':')
		end = read_digits(end + 1, 10, *first, row->high, last);
	return end && *end == '\0';
}

static bool is_name(const char *text, size_t length, size_t size, const char *besides)
{
	if (length == 0 || length >= size)
		return false;
	for (size_t i = 0; i < length; i++) {
		if (!isalnum((unsigned char)text[i]) && !strchr(besides, text[i]))
			return false;
	}
	return true;
}

static bool read_flag(const struct option_row *row, void *at, const char *text)
{
	bool *flag = at;

	(void)row;
	*flag = strcmp(text, "yes") == 0;
	return *flag || strcmp(text, "no") == 0;
}

/* Once more, or the number. */
static bool read_count(const struct option_row *row, void *at, const char *text)
{
	uint32_t *count = at;

	if (strcmp(text, "yes") != 0)
		return read_whole(text, row->low, row->high, count);
	if (*count < row->high)
		++*count;
	return true;
}

static bool read_number(const struct option_row *row, void *at, const char *text)
{
	uint32_t number;

	if (!read_whole(text, row->low, row->high, &number))
		return false;
	if (row->size == sizeof(uint16_t))
		*(uint16_t *)at = (uint16_t)number;
	else
		*(uint32_t *)at = number;
	return true;
}

static bool read_word(const struct option_row *row, void *at, const char *text)
{
	return question_find_name(row->words, text, at);
}

static bool read_path(const struct option_row *row, void *at, const char *text)
{
	int length = snprintf(at, row->size, "%s", text);

	return length > 0 && (size_t)length < row->size;
}

static bool read_helper(const struct option_row *row, void *at, const char *text)
{
	return is_name(text, strlen(text), row->size, "-_.") && strcmp(text, "ftp") != 0 && read_path(row, at, text);
}

static bool read_group(const struct option_row *row, void *at, const char *text)
{
	const bool number = !text[strspn(text, "0123456789")];

	return !number && is_name(text, strlen(text), row->size, "-_.") && *text != '-' && read_path(row, at, text);
}

static bool read_user(const struct option_row *row, void *at, const char *text)
{
	const bool root = strcmp(text, "root") == 0 || !text[strspn(text, "0")];

	return !root && text[0] != '-' && is_name(text, strlen(text), row->size, "-_.") && read_path(row, at, text);
}

static bool read_queues(const struct option_row *row, void *at, const char *text)
{
	uint32_t first = 0, last;

	return read_range(row, text, &first, &last) && queue_range_set(at, first, (long long)last - first + 1);
}

static bool read_mark(const struct option_row *row, void *at, const char *text)
{
	struct attach *attach = HOLDER(at, struct attach, mark);
	const char *end = read_digits(text, 0, row->low, row->high, &attach->mark);

	attach->mark_mask = attach->mark;
	if (end && *end == '/')
		end = read_digits(end + 1, 0, row->low, row->high, &attach->mark_mask);
	return end && *end == '\0' && (attach->mark & ~attach->mark_mask) == 0;
}

static bool read_port_range(const struct option_row *row, void *at, const char *text)
{
	struct policy *policy = HOLDER(at, struct policy, port_low);
	uint32_t low = 0, high;

	if (!read_range(row, text, &low, &high))
		return false;
	policy->port_low = (uint16_t)low;
	policy->port_high = (uint16_t)high;
	return true;
}

/* Some more, up to @row's most. */
static bool add_networks(const struct option_row *row, const char *text, struct network *networks, unsigned int *count)
{
	char copy[OPTION_NETWORKS_MAX * (INET6_ADDRSTRLEN + 5)];
	char *rest = copy, *network;

	if (snprintf(copy, sizeof(copy), "%s", text) >= (int)sizeof(copy))
		return false;
	while ((network = strsep(&rest, ",")) != NULL) {
		if (*count == row->most || !question_network(network, &networks[*count]))
			return false;
		++*count;
	}
	return true;
}

static bool read_networks(const struct option_row *row, void *at, const char *text)
{
	struct policy *policy = HOLDER(at, struct policy, exempt);

	return add_networks(row, text, policy->exempt, &policy->exempt_count);
}

static bool read_loose(const struct option_row *row, void *at, const char *text)
{
	struct policy_loose *loose = at;

	if (strcmp(text, "no") == 0)
		*loose = (struct policy_loose){ .any = false };
	else if (strcmp(text, "yes") == 0)
		loose->any = true;
	else
		return add_networks(row, text, loose->network, &loose->count);
	return true;
}

static bool read_ports(const struct option_row *row, void *at, const char *text)
{
	(void)row;
	return ports_parse(text, HOLDER(at, struct ports, count));
}

static bool read_port_set(const struct option_row *row, void *at, const char *text)
{
	uint8_t *bits = at;
	uint16_t port;

	(void)row;
	do {
		text = ports_next(text, &port);
		if (!text)
			return false;
		bits[port / 8] |= (uint8_t)(1 << port % 8);
	} while (*text);
	return true;
}

/* One name, up to @length bytes; an empty one is allowed. At its end nft's wildcard is iptables', `+', which is what is stored. */
static bool read_interface(char name[IF_NAMESIZE], const char *text, size_t length)
{
	const bool all = length && text[length - 1] == '*';
	const size_t letters = length - all;

	if (letters && !is_name(text, letters, IF_NAMESIZE - all, "-_.+@:"))
		return false;
	/* Every interface: nft has no name for that. */
	if (length == 1 && (all || text[0] == '+'))
		return false;
	memcpy(name, text, length);
	name[length] = '\0';
	if (all)
		name[letters] = '+';
	return true;
}

/* CLIENTS:SERVERS,... */
static bool read_interfaces(const struct option_row *row, void *at, const char *text)
{
	struct request *request = HOLDER(at, struct request, interface_count);

	for (;; text++) {
		struct request_interfaces pair = { 0 };
		size_t length = strcspn(text, ",");
		const char *colon = memchr(text, ':', length);

		if (!colon || length < 2 || request->interface_count == row->most)
			return false;
		if (!read_interface(pair.client, text, (size_t)(colon - text)) ||
		    !read_interface(pair.server, colon + 1, length - 1 - (size_t)(colon - text)))
			return false;
		request->interfaces[request->interface_count++] = pair;
		text += length;
		if (!*text)
			return true;
	}
}

static bool read_address(const char *text, struct endpoint *endpoint)
{
	*endpoint = (struct endpoint){ .family = strchr(text, ':') ? FAMILY_IPV6 : FAMILY_IPV4 };
	return inet_pton(endpoint->family == FAMILY_IPV6 ? AF_INET6 : AF_INET, text, endpoint->address) == 1;
}

static bool read_one_network(const struct option_row *row, void *at, const char *text)
{
	(void)row;
	return question_network(text, at);
}

static bool read_nat(const struct option_row *row, void *at, const char *text)
{
	const char *equals = strchr(text, '=');
	struct endpoint inside, outside;
	char copy[INET6_ADDRSTRLEN];

	(void)row;
	if (!equals || (size_t)(equals - text) >= sizeof(copy))
		return false;
	snprintf(copy, sizeof(copy), "%.*s", (int)(equals - text), text);
	return read_address(copy, &inside) && read_address(equals + 1, &outside) && nat_add(at, &inside, &outside) == 0;
}

/* What is put in for @L, @H, @M, @S, @A and @W: the row's low, high, most, size, argument and words. */
static const struct kind {
	bool (*read)(const struct option_row *row, void *at, const char *text);
	const char *allowed;
	bool adds; /* what is given again adds to what was; else it takes its place */
} kinds[OPTION_KINDS] = {
	[OPTION_FLAG] = { read_flag, "yes or no", false },
	[OPTION_COUNT] = { read_count, "a number from @L to @H", true },
	[OPTION_NUMBER] = { read_number, "@A from @L to @H", false },
	[OPTION_WORD] = { read_word, "@W", false },
	[OPTION_PATH] = { read_path, "a path of less than @S bytes", false },
	[OPTION_HELPER] = { read_helper,
			    "the name of a TCP helper of the kernel, of less than @S letters, and not `ftp'", false },
	[OPTION_GROUP] = { read_group, "the name of a group, of less than @S letters, and no number", false },
	[OPTION_USER] = { read_user, "a user's name, of less than @S letters, or number, and not root's", false },
	[OPTION_QUEUES] = { read_queues, "N or A:B, at most @M queues with numbers from @L to @H", false },
	[OPTION_MARK] = { read_mark, "VALUE or VALUE/MASK, numbers from @L to @H, VALUE within MASK", false },
	[OPTION_PORT_RANGE] = { read_port_range, "LOW:HIGH or one, ports from @L to @H", false },
	[OPTION_NETWORKS] = { read_networks,
			      "at most @M networks such as 192.0.2.0/24 or 2001:db8::/32, separated by commas", true },
	[OPTION_LOOSE] = { read_loose,
			   "yes (all addresses in replies), no, or at most @M networks such as 192.0.2.0/24 or 2001:db8::/32, "
			   "separated by commas",
			   true },
	[OPTION_PORTS] = { read_ports, "at most @M ports from @L to @H, separated by commas", false },
	[OPTION_PORT_SET] = { read_port_set, "ports from @L to @H, separated by commas", true },
	[OPTION_INTERFACES] = { read_interfaces,
				"at most @M pairs CLIENTS:SERVERS of interface names, one of which may be "
				"missing, separated by commas",
				false },
	[OPTION_NETWORK] = { read_one_network, "an address, or a network such as 192.0.2.0/24 or 2001:db8::/32",
			     false },
	[OPTION_NAT] = { read_nat, "two addresses, both IPv4 or both IPv6, each INSIDE once, at most @M times", true },
};

/* What is not given any more leaves no byte behind: two that say the same are the same (option_same()). */
bool option_set(const struct option_row *row, struct option_values *values, const char *text, bool first)
{
	const struct kind *kind = &kinds[row->kind];
	void *at = (char *)values + row->at;

	if (first || !kind->adds)
		memset(at, 0, row->size);
	return kind->read(row, at, text);
}

bool option_repeats(const struct option_row *row)
{
	return kinds[row->kind].adds && row->kind != OPTION_COUNT;
}

bool option_same(const struct option_row *row, const struct option_values *a, const struct option_values *b)
{
	return memcmp((const char *)a + row->at, (const char *)b + row->at, row->size) == 0;
}

bool option_is_value(const char *text)
{
	const char *end = text + strspn(text, "0123456789abcdefABCDEF.:/,");
	unsigned int dots = 0;

	for (const char *at = text; *at; at++)
		dots += *at == '.';
	return *end == '\0' && (isxdigit((unsigned char)*text) || *text == ':') && (dots >= 3 || strchr(text, ':'));
}

bool option_number(const struct option_row *row, const struct option_values *values, uint32_t *number)
{
	const void *at = (const char *)values + row->at;

	if (row->kind != OPTION_NUMBER)
		return false;
	*number = row->size == sizeof(uint16_t) ? *(const uint16_t *)at : *(const uint32_t *)at;
	return *number >= row->low && *number <= row->high;
}

/* "auto, kernel or self". */
static int put_words(const struct option_row *row, char *text, size_t size)
{
	int length = 0;

	for (unsigned int i = 0; row->words[i]; i++) {
		const char *between = row->words[i + 1] ? ", " : " or ";

		length += snprintf(text + length, size - (size_t)length, "%s%s", i > 0 ? between : "", row->words[i]);
	}
	return length;
}

static int put(const struct option_row *row, char what, char *text, size_t size)
{
	switch (what) {
	case 'L':
		return snprintf(text, size, "%u", row->low);
	case 'H':
		return snprintf(text, size, "%u", row->high);
	case 'M':
		return snprintf(text, size, "%u", row->most);
	case 'S':
		return snprintf(text, size, "%zu", row->size);
	case 'A':
		return snprintf(text, size, "%s", strcmp(row->argument, "N") == 0 ? "a number" : row->argument);
	default:
		return put_words(row, text, size);
	}
}

/* The texts are this program's own, and have room: test_option looks at each. */
const char *option_allowed(const struct option_row *row, char text[OPTION_ALLOWED_MAX])
{
	size_t length = 0;

	for (const char *from = kinds[row->kind].allowed; *from; from++) {
		if (*from == '@')
			length += (size_t)put(row, *++from, text + length, OPTION_ALLOWED_MAX - length);
		else
			text[length++] = *from;
	}
	text[length] = '\0';
	return text;
}
