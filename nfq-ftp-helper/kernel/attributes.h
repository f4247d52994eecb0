/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * attributes - netlink attributes by type, none of them believed before its length was checked.
 */
#ifndef KERNEL_ATTRIBUTES_H
#define KERNEL_ATTRIBUTES_H

#include <libmnl/libmnl.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What an attribute must be. Its length: exactly this many bytes; a rule of all zeroes takes any. An attribute that breaks its rule makes the
 * whole message bad.
 */
struct attribute_rule {
	uint16_t exactly;
};

/* Bytes of the run that its whole attributes fill, padding included: less than @length where one runs past the end. */
size_t attributes_whole(const void *data, size_t length);

/**
 * attributes_parse - sort a run of attributes by type
 * @data: the first attribute
 * @length: bytes there
 * @rules: one a type, from 0 to @max; NULL: there are none
 * @found: one a type, from 0 to @max; filled in, NULL where there is none. They point into @data
 * @max: the highest type of interest; higher ones are skipped
 *
 * Return: 0, or -EBADMSG when an attribute breaks its rule or runs past the end.
 */
int attributes_parse(const void *data, size_t length, const struct attribute_rule *rules, const struct nlattr **found,
		     uint16_t max);

/* The same for what is inside of an attribute. */
int attributes_parse_nested(const struct nlattr *nest, const struct attribute_rule *rules, const struct nlattr **found,
			    uint16_t max);

/* Integers that netfilter sends in network order; the rules have vouched for their length. */
uint16_t attribute_be16(const struct nlattr *attribute);
uint32_t attribute_be32(const struct nlattr *attribute);

/* And to write them. */
void attribute_put_be16(struct nlmsghdr *message, uint16_t type, uint16_t value);
void attribute_put_be32(struct nlmsghdr *message, uint16_t type, uint32_t value);

/* A text, with or without a zero at its end, into @size bytes. Return: 0, or -EBADMSG where it does not fit. */
int attribute_text(const struct nlattr *attribute, char *text, size_t size);

#endif
