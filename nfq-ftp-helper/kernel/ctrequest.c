// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctrequest.h"

#include "attributes.h"

#include <errno.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>

#define CT(type)     (NFNL_SUBSYS_CTNETLINK << 8 | (type))
#define EXPECT(type) (NFNL_SUBSYS_CTNETLINK_EXP << 8 | (type))

void ctrequest_get(struct exchange *exchange, const struct tuple *tuple, uint16_t zone)
{
	struct nlmsghdr *message = exchange_add(exchange, CT(IPCTNL_MSG_CT_GET), 0, tuple->src.family);

	ctmessage_put_tuple(message, CTA_TUPLE_ORIG, tuple);
	ctmessage_put_zone(message, CTA_ZONE, zone);
}

struct nlmsghdr *ctrequest_walk(struct exchange *exchange, uint8_t family, uint16_t zone)
{
	struct nlmsghdr *message = exchange_add(exchange, CT(IPCTNL_MSG_CT_GET), NLM_F_DUMP, family);

	ctmessage_put_zone(message, CTA_ZONE, zone);
	return message;
}

void ctrequest_walk_helped(struct exchange *exchange)
{
	struct nlmsghdr *message = ctrequest_walk(exchange, 0, 0);

	attribute_put_be32(message, CTA_STATUS, IPS_HELPER);
	attribute_put_be32(message, CTA_STATUS_MASK, IPS_HELPER);
}

struct nlmsghdr *ctrequest_update(struct exchange *exchange, const struct tuple *original, uint16_t zone,
				  unsigned int flags)
{
	struct nlmsghdr *message = exchange_add(exchange, CT(IPCTNL_MSG_CT_NEW), flags, original->src.family);

	ctmessage_put_tuple(message, CTA_TUPLE_ORIG, original);
	ctmessage_put_zone(message, CTA_ZONE, zone);
	return message;
}

void ctrequest_forget(struct exchange *exchange, const struct binding *binding)
{
	const struct tuple *original = &binding->tuple[DIRECTION_ORIGINAL];
	struct nlmsghdr *message = exchange_add(exchange, CT(IPCTNL_MSG_CT_DELETE), 0, original->src.family);

	ctmessage_put_tuple(message, CTA_TUPLE_ORIG, original);
	attribute_put_be32(message, CTA_ID, binding->id);
	ctmessage_put_zone(message, CTA_ZONE, binding->zone);
}

void ctrequest_get_expected(struct exchange *exchange, const struct tuple *tuple, uint16_t zone)
{
	struct nlmsghdr *message = exchange_add(exchange, EXPECT(IPCTNL_MSG_EXP_GET), 0, tuple->dst.family);

	ctmessage_put_expected(message, tuple);
	ctmessage_put_zone(message, CTA_EXPECT_ZONE, zone);
}

/* What is in it, if it is an object of @type. Return: bytes there, the answer's error, or -EBADMSG. */
static int attributes_of(const struct answer *answer, unsigned int type, const void **attributes)
{
	if (answer->error)
		return answer->error;
	return answer->message ? exchange_attributes(answer->message, type, attributes) : -EBADMSG;
}

int ctrequest_connection(const struct answer *answer, struct connection *connection)
{
	const void *attributes = NULL;
	const int length = attributes_of(answer, CT(IPCTNL_MSG_CT_NEW), &attributes);

	return length < 0 ? length : ctmessage_read_connection(attributes, (size_t)length, connection);
}

const void *ctrequest_private(const struct answer *answer, const char *helper, size_t *size)
{
	const void *attributes = NULL;
	const int length = attributes_of(answer, CT(IPCTNL_MSG_CT_NEW), &attributes);

	return length < 0 ? NULL : ctmessage_read_private(attributes, (size_t)length, helper, size);
}

int ctrequest_expected(const struct answer *answer, struct expected *expected)
{
	const void *attributes = NULL;
	const int length = attributes_of(answer, EXPECT(IPCTNL_MSG_EXP_NEW), &attributes);

	return length < 0 ? length : ctmessage_read_expected(attributes, (size_t)length, expected);
}

void ctrequest_expect(struct exchange *exchange, unsigned int flags, const struct binding *master,
		      const struct expectation *expectation, uint32_t seconds)
{
	struct nlmsghdr *message =
		exchange_add(exchange, EXPECT(IPCTNL_MSG_EXP_NEW), flags | NLM_F_ACK, expectation->tuple.dst.family);

	ctmessage_put_tuple(message, CTA_EXPECT_MASTER, &master->tuple[DIRECTION_ORIGINAL]);
	ctmessage_put_expectation(message, expectation, seconds);
	ctmessage_put_zone(message, CTA_EXPECT_ZONE, master->zone);
}

int ctrequest_delete_expected(struct exchange *exchange, const struct tuple *tuple, uint16_t zone, uint32_t id)
{
	struct nlmsghdr *message = exchange_add(exchange, EXPECT(IPCTNL_MSG_EXP_DELETE), NLM_F_ACK, tuple->dst.family);

	ctmessage_put_expected(message, tuple);
	attribute_put_be32(message, CTA_EXPECT_ID, id);
	ctmessage_put_zone(message, CTA_EXPECT_ZONE, zone);
	return exchange_run_one(exchange);
}
