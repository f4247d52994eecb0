// SPDX-License-Identifier: GPL-2.0-or-later
#include "attributes.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

struct sorting {
	const struct attribute_rule *rules;
	const struct nlattr **found;
	uint16_t max;
	size_t sorted;		/* bytes of all attributes so far */
};

static int sort_attribute(const struct nlattr *attribute, void *context)
{
	struct sorting *sorting = context;
	uint16_t type = mnl_attr_get_type(attribute);
	uint16_t length = mnl_attr_get_payload_len(attribute);

	sorting->sorted += MNL_ALIGN(attribute->nla_len);
	if (type > sorting->max)
		return MNL_CB_OK;
	if (sorting->rules[type].exactly && length != sorting->rules[type].exactly)
		return MNL_CB_ERROR;
	if (length < sorting->rules[type].at_least)
		return MNL_CB_ERROR;
	sorting->found[type] = attribute;
	return MNL_CB_OK;
}

int attributes_parse(const void *data, size_t length, const struct attribute_rule *rules,
		     const struct nlattr **found, uint16_t max)
{
	struct sorting sorting = { .rules = rules, .found = found, .max = max };

	for (unsigned int type = 0; type <= max; type++)
		found[type] = NULL;
	/* libmnl stops without a word at an attribute that runs past the end. */
	if (mnl_attr_parse_payload(data, length, sort_attribute, &sorting) < 0 || sorting.sorted < length)
		return -EBADMSG;
	return 0;
}

int attributes_parse_nested(const struct nlattr *nest, const struct attribute_rule *rules,
			    const struct nlattr **found, uint16_t max)
{
	return attributes_parse(mnl_attr_get_payload(nest), mnl_attr_get_payload_len(nest), rules, found, max);
}

uint16_t attribute_be16(const struct nlattr *attribute)
{
	return ntohs(mnl_attr_get_u16(attribute));
}

uint32_t attribute_be32(const struct nlattr *attribute)
{
	return ntohl(mnl_attr_get_u32(attribute));
}

int attribute_text(const struct nlattr *attribute, char *text, size_t size)
{
	const char *from = mnl_attr_get_payload(attribute);
	const size_t length = strnlen(from, mnl_attr_get_payload_len(attribute));

	if (length >= size)
		return -EBADMSG;
	memcpy(text, from, length);
	text[length] = '\0';
	return 0;
}
