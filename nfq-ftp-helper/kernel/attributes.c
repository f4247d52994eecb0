// SPDX-License-Identifier: GPL-2.0-or-later
#include "attributes.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

/* libmnl's loop stops without a word at an attribute that runs past the end. */
size_t attributes_whole(const void *data, size_t length)
{
	const struct nlattr *attr = data;

	mnl_attr_for_each_payload(data, length);
	return (size_t)((const uint8_t *)attr - (const uint8_t *)data);
}

int attributes_parse(const void *data, size_t length, const struct attribute_rule *rules, const struct nlattr **found,
		     uint16_t max)
{
	const struct nlattr *attr = data;

	for (unsigned int type = 0; type <= max; type++)
		found[type] = NULL;
	mnl_attr_for_each_payload(data, length)
	{
		const uint16_t type = mnl_attr_get_type(attr);

		if (type > max)
			continue;
		if (rules && rules[type].exactly && mnl_attr_get_payload_len(attr) != rules[type].exactly)
			return -EBADMSG;
		found[type] = attr;
	}
	return (size_t)((const uint8_t *)attr - (const uint8_t *)data) < length ? -EBADMSG : 0;
}

int attributes_parse_nested(const struct nlattr *nest, const struct attribute_rule *rules, const struct nlattr **found,
			    uint16_t max)
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

void attribute_put_be16(struct nlmsghdr *message, uint16_t type, uint16_t value)
{
	mnl_attr_put_u16(message, type, htons(value));
}

void attribute_put_be32(struct nlmsghdr *message, uint16_t type, uint32_t value)
{
	mnl_attr_put_u32(message, type, htonl(value));
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
