// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The model: what stands for conntrack and NAT in every test must itself do what they do. Connections in both views and
 * directions, expectations under their three names, headers translated forth and back, and tables that are full.
 */
#include "unit.h"

#include "common/packet.h"
#include "model/expectations.h"
#include "model/index.h"
#include "model/model.h"

#define TIMEOUT 300000 /* of an expectation, milliseconds */

static struct endpoint v4(uint8_t a, uint8_t b, uint16_t port)
{
	return (struct endpoint){ .family = FAMILY_IPV4, .address = { a, 0, 0, b }, .port = port };
}

static struct endpoint v6(uint8_t a, uint8_t b, uint16_t port)
{
	return (struct endpoint){ .family = FAMILY_IPV6, .address = { 0x20, a, [15] = b }, .port = port };
}

static struct endpoint with_port(struct endpoint endpoint, uint16_t port)
{
	endpoint.port = port;
	return endpoint;
}

/* Inside: 10.x; outside: 192.x. The client's network is behind 192.0.0.1, the server's behind 192.0.0.9. */
#define CLIENT	     v4(10, 2, 40000)
#define CLIENT_SEEN  v4(192, 1, 40000)
#define SERVER	     v4(172, 21, 21)
#define SERVER_SEEN  v4(192, 9, 21)
#define SOMEONE_ELSE v4(10, 66, 40000)

enum translations {
	NOTHING,
	SOURCE,
	DESTINATION,
	BOTH,
};

/* One connection to an FTP server, as each view sees it. */
struct scene {
	struct model *model;
	struct conntrack *conntrack;
	struct tuple view[2]; /* by enum model_view */
	struct binding binding;
};

static struct tuple inverse(const struct tuple *tuple)
{
	return (struct tuple){ .src = tuple->dst, .dst = tuple->src };
}

static void same_endpoint(const struct endpoint *a, const struct endpoint *b)
{
	char text[2][ENDPOINT_PRINT_MAX];

	assert_int_equal(a->family, b->family);
	assert_string_equal(endpoint_print(a, text[0]), endpoint_print(b, text[1]));
	assert_true(endpoint_equal(a, b));
}

static void same_tuple(const struct tuple *a, const struct tuple *b)
{
	same_endpoint(&a->src, &b->src);
	same_endpoint(&a->dst, &b->dst);
}

static void parse(struct segment *segment, struct packet *packet)
{
	assert_int_equal(segment_parse(segment, packet->bytes, packet->length, false), 0);
}

static int track(struct model *model, enum model_view view, const struct tuple *tuple, uint8_t flags,
		 struct model_connection *connection)
{
	struct packet packet;
	struct segment segment;

	packet_make(&packet, &tuple->src, &tuple->dst, 1, 1, flags, NULL, NULL, 0);
	parse(&segment, &packet);
	return model_track(model, &segment, view, connection);
}

static struct model_connection tracked(struct model *model, enum model_view view, const struct tuple *tuple,
				       uint8_t flags)
{
	struct model_connection connection;

	assert_int_equal(track(model, view, tuple, flags, &connection), 0);
	return connection;
}

static struct scene scene_new(enum translations translations, enum seqadj_by seqadj_by)
{
	struct scene scene = { .model = model_new(seqadj_by) };
	struct endpoint client = CLIENT, client_seen = CLIENT_SEEN, server = SERVER, server_seen = SERVER_SEEN;

	assert_non_null(scene.model);
	scene.conntrack = model_conntrack(scene.model);
	if (translations & SOURCE)
		assert_int_equal(model_add_nat(scene.model, &client, &client_seen), 0);
	if (translations & DESTINATION)
		assert_int_equal(model_add_nat(scene.model, &server, &server_seen), 0);
	scene.view[MODEL_INSIDE] = (struct tuple){ .src = client, .dst = server };
	scene.view[MODEL_OUTSIDE].src = translations & SOURCE ? client_seen : client;
	scene.view[MODEL_OUTSIDE].dst = translations & DESTINATION ? server_seen : server;
	return scene;
}

static struct scene scene_open(enum translations translations, enum seqadj_by seqadj_by)
{
	struct scene scene = scene_new(translations, seqadj_by);

	scene.binding = tracked(scene.model, MODEL_INSIDE, &scene.view[MODEL_INSIDE], TCP_SYN).binding;
	return scene;
}

static int find(const struct scene *scene, const struct tuple *seen, struct binding *binding, enum direction *direction)
{
	return scene->conntrack->ops->find(scene->conntrack, seen, 7, binding, direction);
}

static int expect(const struct scene *scene, const struct binding *master, const struct expectation *expectation)
{
	return scene->conntrack->ops->expect(scene->conntrack, master, expectation);
}

static void unexpect(const struct scene *scene, const struct binding *master, const struct expectation *expectation)
{
	scene->conntrack->ops->unexpect(scene->conntrack, master, expectation);
}

/* ---- connections ---- */

/* original is what the client sends, reply what the server does. */
static void is_bound(const struct scene *scene, const struct binding *binding)
{
	const struct tuple *inside = &scene->view[MODEL_INSIDE], *outside = &scene->view[MODEL_OUTSIDE];

	same_tuple(&binding->tuple[DIRECTION_ORIGINAL], &(struct tuple){ .src = inside->src, .dst = outside->dst });
	same_tuple(&binding->tuple[DIRECTION_REPLY], &(struct tuple){ .src = inside->dst, .dst = outside->src });
}

static void one_connection_in_both_views(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 8; i++) {
		struct scene scene = scene_new(i & BOTH, SEQADJ_KERNEL);
		const enum model_view first = i & 4 ? MODEL_OUTSIDE : MODEL_INSIDE;
		struct model_connection connection = tracked(scene.model, first, &scene.view[first], TCP_SYN);

		assert_true(connection.is_new);
		assert_false(connection.expected);
		assert_int_equal(connection.direction, DIRECTION_ORIGINAL);
		assert_int_equal(binding_translated(&connection.binding), (i & BOTH) != NOTHING);
		is_bound(&scene, &connection.binding);
		for (unsigned int j = 0; j < 4; j++) {
			const enum model_view view = j & 1 ? MODEL_OUTSIDE : MODEL_INSIDE;
			const struct tuple back = inverse(&scene.view[view]);

			connection = tracked(scene.model, view, j & 2 ? &back : &scene.view[view], TCP_ACK);
			assert_false(connection.is_new);
			assert_int_equal(connection.direction, j & 2 ? DIRECTION_REPLY : DIRECTION_ORIGINAL);
			is_bound(&scene, &connection.binding);
		}
		model_free(scene.model);
	}
}

/* The engine stands inside: half translated, where there are two translations. */
static void find_goes_by_the_inside(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 4; i++) {
		struct scene scene = scene_open(i, SEQADJ_KERNEL);
		struct tuple other = scene.view[MODEL_INSIDE], back = inverse(&scene.view[MODEL_INSIDE]);
		struct binding binding;
		enum direction direction = DIRECTION_REPLY;

		assert_int_equal(find(&scene, &scene.view[MODEL_INSIDE], &binding, &direction), 0);
		assert_int_equal(direction, DIRECTION_ORIGINAL);
		assert_int_equal(binding.zone, 7);
		assert_false(seqadj_active(&binding.seqadj[0]) || seqadj_active(&binding.seqadj[1]));
		is_bound(&scene, &binding);
		assert_int_equal(find(&scene, &back, &binding, &direction), 0);
		assert_int_equal(direction, DIRECTION_REPLY);
		is_bound(&scene, &binding);
		assert_int_equal(find(&scene, &scene.view[MODEL_OUTSIDE], &binding, &direction), i ? -ENOENT : 0);
		other.src.port++;
		assert_int_equal(find(&scene, &other, &binding, &direction), -ENOENT);
		other = scene.view[MODEL_INSIDE];
		other.dst.address[3]++;
		assert_int_equal(find(&scene, &other, &binding, &direction), -ENOENT);
		model_free(scene.model);
	}
}

static void first_packets(void **state)
{
	static const struct {
		uint8_t flags;
		enum direction direction;
	} firsts[] = {
		{ TCP_SYN, DIRECTION_ORIGINAL },	   { TCP_SYN | TCP_ACK, DIRECTION_REPLY },
		{ TCP_ACK, DIRECTION_ORIGINAL },	   { TCP_ACK | TCP_FIN, DIRECTION_ORIGINAL },
		{ TCP_ACK | TCP_PSH, DIRECTION_ORIGINAL }, { TCP_RST, DIRECTION_ORIGINAL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(firsts) / sizeof(firsts[0]); i++) {
		struct scene scene = scene_new(SOURCE, SEQADJ_KERNEL);
		const bool reply = firsts[i].direction == DIRECTION_REPLY;
		const struct tuple back = inverse(&scene.view[MODEL_INSIDE]);
		struct model_connection connection =
			tracked(scene.model, MODEL_INSIDE, reply ? &back : &scene.view[MODEL_INSIDE], firsts[i].flags);

		assert_true(connection.is_new);
		assert_int_equal(connection.direction, firsts[i].direction);
		is_bound(&scene, &connection.binding);
		model_free(scene.model);
	}
}

static void pick_up(void **state)
{
	struct scene scene = scene_new(BOTH, SEQADJ_KERNEL);
	const struct tuple back = inverse(&scene.view[MODEL_INSIDE]);
	struct model_connection connection;

	(void)state;
	for (unsigned int i = 0; i < 2; i++) {
		assert_int_equal(
			model_pick_up(scene.model, &scene.view[i], i ? MODEL_OUTSIDE : MODEL_INSIDE, &connection), 0);
		assert_int_equal(connection.is_new, i == 0);
		assert_int_equal(connection.direction, DIRECTION_ORIGINAL);
		assert_false(connection.expected);
		is_bound(&scene, &connection.binding);
	}
	assert_int_equal(tracked(scene.model, MODEL_INSIDE, &back, TCP_ACK).direction, DIRECTION_REPLY);
	model_free(scene.model);
}

static struct expectation expectation_of(const struct tuple *tuple)
{
	return (struct expectation){ .tuple = *tuple, .nat_src = tuple->dst };
}

/* Flags there and back; then does a SYN begin another connection? */
static bool begins_again(uint8_t there, uint8_t back, uint8_t flags)
{
	struct scene scene = scene_open(SOURCE, SEQADJ_KERNEL);
	const struct tuple replies = inverse(&scene.view[MODEL_INSIDE]);
	struct tuple data = { .src = SERVER, .dst = with_port(CLIENT_SEEN, 3000) };
	const struct expectation expectation = expectation_of(&data);
	struct model_connection connection;

	assert_int_equal(expect(&scene, &scene.binding, &expectation), 0);
	tracked(scene.model, MODEL_INSIDE, &scene.view[MODEL_INSIDE], there);
	tracked(scene.model, MODEL_INSIDE, &replies, back);
	connection = tracked(scene.model, MODEL_INSIDE, &scene.view[MODEL_INSIDE], flags);
	is_bound(&scene, &connection.binding);
	assert_int_equal(model_expectations(scene.model), connection.is_new ? 0 : 1);
	model_free(scene.model);
	return connection.is_new;
}

static void closed_connections_begin_again(void **state)
{
	(void)state;
	assert_false(begins_again(TCP_ACK, TCP_ACK, TCP_SYN));
	assert_false(begins_again(TCP_ACK | TCP_FIN, TCP_ACK, TCP_SYN));
	assert_false(begins_again(TCP_ACK, TCP_ACK | TCP_FIN, TCP_SYN));
	assert_true(begins_again(TCP_ACK | TCP_FIN, TCP_ACK | TCP_FIN, TCP_SYN));
	assert_true(begins_again(TCP_ACK, TCP_RST, TCP_SYN));
	assert_true(begins_again(TCP_RST | TCP_ACK, TCP_ACK, TCP_SYN));
	assert_false(begins_again(TCP_ACK, TCP_RST, TCP_ACK));
	assert_false(begins_again(TCP_ACK, TCP_RST, TCP_SYN | TCP_ACK));
}

/* The other side opens the next one, between the same endpoints. */
static void closed_connections_begin_the_other_way_round(void **state)
{
	struct scene scene = scene_open(NOTHING, SEQADJ_KERNEL);
	const struct tuple back = inverse(&scene.view[MODEL_INSIDE]);
	struct model_connection connection;

	(void)state;
	tracked(scene.model, MODEL_INSIDE, &back, TCP_RST);
	connection = tracked(scene.model, MODEL_OUTSIDE, &back, TCP_SYN);
	assert_true(connection.is_new);
	assert_int_equal(connection.direction, DIRECTION_ORIGINAL);
	same_tuple(&connection.binding.tuple[DIRECTION_ORIGINAL], &back);
	model_free(scene.model);
}

/* Many, of both families: each has its own, in each view and direction. */
static void many_connections(void **state)
{
	struct model *model = model_new(SEQADJ_KERNEL);
	const struct endpoint seen[2] = { v4(192, 1, 0), v6(9, 1, 0) };
	struct tuple inside[600];
	struct binding binding[600];
	struct scene scene = { .model = model, .conntrack = model_conntrack(model) };

	(void)state;
	for (unsigned int i = 0; i < 20; i++) {
		const struct endpoint client = i & 1 ? v6(1, (uint8_t)i, 0) : v4(10, (uint8_t)i, 0);

		assert_int_equal(model_add_nat(model, &client, &seen[i & 1]), 0);
	}
	for (unsigned int i = 0; i < 600; i++) {
		const uint8_t host = (uint8_t)(i % 20);
		const uint16_t port = (uint16_t)(2000 + i / 20);
		struct model_connection made;

		inside[i].src = i & 1 ? v6(1, host, port) : v4(10, host, port);
		inside[i].dst = i & 1 ? v6(2, 1, 21) : v4(172, 21, 21);
		made = tracked(model, MODEL_INSIDE, &inside[i], TCP_SYN);
		assert_true(made.is_new);
		binding[i] = made.binding;
	}
	for (unsigned int i = 0; i < 600; i++) {
		const struct tuple replies = inverse(&inside[i]), outside = binding[i].tuple[DIRECTION_REPLY];
		struct model_connection connection = tracked(model, MODEL_OUTSIDE, &outside, TCP_ACK);
		struct binding found;
		enum direction direction;

		assert_false(connection.is_new);
		assert_int_equal(connection.direction, DIRECTION_REPLY);
		assert_true(endpoint_address_equal(&outside.dst, &seen[i & 1]));
		same_tuple(&connection.binding.tuple[DIRECTION_ORIGINAL], &inside[i]);
		assert_int_equal(find(&scene, &replies, &found, &direction), 0);
		assert_int_equal(direction, DIRECTION_REPLY);
		same_tuple(&found.tuple[DIRECTION_REPLY], &outside);
	}
	model_free(model);
}

/* ---- NAT ---- */

static void nat_lists(void **state)
{
	struct model *model = model_new(SEQADJ_KERNEL);
	const struct endpoint first = v4(10, 2, 1), again = v4(10, 2, 2), second = v4(10, 3, 3), outer = v4(192, 1, 4),
			      other = v4(192, 2, 5), six = v6(1, 2, 6);
	const struct endpoint reached = v4(10, 2, 80), shown = v4(192, 1, 1234);
	struct tuple tuple = { .src = SERVER, .dst = v4(192, 1, 80) };
	struct model_connection connection;

	(void)state;
	assert_int_equal(model_add_nat(model, &first, &six), -EINVAL);
	assert_int_equal(model_add_nat(model, &six, &first), -EINVAL);
	assert_int_equal(model_add_nat(model, &first, &outer), 0);
	assert_int_equal(model_add_nat(model, &again, &outer), -EEXIST);
	assert_int_equal(model_add_nat(model, &again, &other), -EEXIST);
	assert_int_equal(model_add_nat(model, &second, &outer), 0);
	/* Ports are ignored, and who connects to an address that is shared reaches the first. */
	connection = tracked(model, MODEL_OUTSIDE, &tuple, TCP_SYN);
	same_endpoint(&connection.binding.tuple[DIRECTION_ORIGINAL].dst, &tuple.dst);
	same_endpoint(&connection.binding.tuple[DIRECTION_REPLY].src, &reached);
	same_endpoint(&connection.binding.tuple[DIRECTION_REPLY].dst, &tuple.src);
	tuple = (struct tuple){ .src = v4(10, 3, 1234), .dst = SERVER };
	connection = tracked(model, MODEL_INSIDE, &tuple, TCP_SYN);
	same_endpoint(&connection.binding.tuple[DIRECTION_REPLY].dst, &shown);
	tuple = (struct tuple){ .src = SOMEONE_ELSE, .dst = SERVER };
	connection = tracked(model, MODEL_INSIDE, &tuple, TCP_SYN);
	assert_false(binding_translated(&connection.binding));
	model_free(model);
	model_free(NULL);
}

/* Headers of each direction, out and in, with payload; everything else stays, and the checksums are right. */
static void translates(struct model *model, const struct tuple view[2])
{
	for (unsigned int i = 0; i < 4; i++) {
		const enum model_view from = i & 1 ? MODEL_OUTSIDE : MODEL_INSIDE;
		const struct tuple back[2] = { inverse(&view[0]), inverse(&view[1]) };
		const struct tuple *seen = i & 2 ? back : view;
		struct packet packet, want;
		struct segment segment;

		packet_make(&packet, &seen[from].src, &seen[from].dst, 77, 88, TCP_ACK | TCP_PSH, NULL, "PASV\r\n", 6);
		packet_make(&want, &seen[!from].src, &seen[!from].dst, 77, 88, TCP_ACK | TCP_PSH, NULL, "PASV\r\n", 6);
		parse(&segment, &packet);
		assert_int_equal(model_translate(model, &segment, from), 0);
		assert_true(packet_is_right(packet.bytes, packet.length, packet.tcp));
		assert_memory_equal(packet.bytes, want.bytes, want.length);
		same_endpoint(&segment.src, &seen[!from].src);
		same_endpoint(&segment.dst, &seen[!from].dst);
	}
}

static void translates_headers(void **state)
{
	const struct endpoint inside = v6(1, 2, 0), outside = v6(9, 2, 0);
	struct tuple view[2] = { { .src = v6(1, 2, 5000), .dst = v6(2, 1, 21) },
				 { .src = v6(9, 2, 5000), .dst = v6(2, 1, 21) } };
	struct packet packet;
	struct segment segment;
	struct scene scene;

	(void)state;
	for (unsigned int i = 0; i < 4; i++) {
		scene = scene_open(i, SEQADJ_KERNEL);
		translates(scene.model, scene.view);
		model_free(scene.model);
	}
	scene = scene_new(BOTH, SEQADJ_KERNEL);
	assert_int_equal(model_add_nat(scene.model, &inside, &outside), 0);
	tracked(scene.model, MODEL_OUTSIDE, &view[MODEL_OUTSIDE], TCP_SYN);
	translates(scene.model, view);
	packet_make(&packet, &scene.view[0].src, &scene.view[0].dst, 1, 1, TCP_ACK, NULL, NULL, 0);
	parse(&segment, &packet);
	assert_int_equal(model_translate(scene.model, &segment, MODEL_INSIDE), -ENOENT);
	same_endpoint(&segment.src, &scene.view[0].src);
	model_free(scene.model);
}

/* A model with hosts 10.0.0.1 to .9 behind 192.0.0.1. */
static struct model *shared(void)
{
	struct model *model = model_new(SEQADJ_KERNEL);
	const struct endpoint outside = v4(192, 1, 0);

	for (uint8_t host = 1; host < 10; host++) {
		const struct endpoint inside = v4(10, host, 0);

		assert_int_equal(model_add_nat(model, &inside, &outside), 0);
	}
	return model;
}

static uint16_t port_outside(struct model *model, uint8_t host, uint16_t port, struct endpoint peer)
{
	const struct tuple tuple = { .src = v4(10, host, port), .dst = peer };

	return tracked(model, MODEL_INSIDE, &tuple, TCP_SYN).binding.tuple[DIRECTION_REPLY].dst.port;
}

static void ports_collide(void **state)
{
	struct model *model = shared();
	uint16_t ports[9];

	(void)state;
	for (unsigned int i = 0; i < 9; i++) {
		struct tuple view[2] = { { .src = v4(10, (uint8_t)(i + 1), 40000), .dst = SERVER },
					 { .src = v4(192, 1, 0), .dst = SERVER } };

		ports[i] = port_outside(model, (uint8_t)(i + 1), 40000, SERVER);
		assert_true(i == 0 ? ports[i] == 40000 : ports[i] >= 1024);
		for (unsigned int j = 0; j < i; j++)
			assert_int_not_equal(ports[i], ports[j]);
		view[MODEL_OUTSIDE].src.port = ports[i];
		translates(model, view);
	}
	/* To someone else, or from another port, there is no collision. */
	assert_int_equal(port_outside(model, 2, 40000, v4(172, 22, 21)), 40000);
	assert_int_equal(port_outside(model, 3, 40000, v4(172, 21, 22)), 40000);
	assert_int_equal(port_outside(model, 4, 40001, SERVER), 40001);
	model_free(model);
}

/* Privileged ports among themselves, to the very last one; when there are no more, the others still are. */
static void ports_are_used_up(void **state)
{
	struct model *model = shared();
	const struct tuple one_more = { .src = v4(10, 3, 7), .dst = SERVER };
	struct model_connection connection;

	(void)state;
	for (uint16_t port = 1; port < 1023; port++)
		assert_int_equal(port_outside(model, 1, port, SERVER), port);
	assert_int_equal(port_outside(model, 2, 7, SERVER), 1023);
	assert_int_equal(track(model, MODEL_INSIDE, &one_more, TCP_SYN, &connection), -EADDRINUSE);
	assert_int_equal(model_pick_up(model, &one_more, MODEL_INSIDE, &connection), -EADDRINUSE);
	assert_int_equal(port_outside(model, 3, 7, v4(172, 22, 21)), 7);
	assert_int_equal(port_outside(model, 3, 1024, SERVER), 1024);
	assert_int_equal(port_outside(model, 3, 65535, SERVER), 65535);
	assert_in_range(port_outside(model, 4, 1024, SERVER), 1025, 65534);
	model_free(model);
}

/* Two outside tuples that would be one inside. */
static void no_two_are_one_inside(void **state)
{
	struct scene scene = scene_new(DESTINATION, SEQADJ_KERNEL);
	struct model_connection connection;

	(void)state;
	tracked(scene.model, MODEL_OUTSIDE, &scene.view[MODEL_OUTSIDE], TCP_SYN);
	assert_int_equal(track(scene.model, MODEL_OUTSIDE, &scene.view[MODEL_INSIDE], TCP_SYN, &connection),
			 -EADDRINUSE);
	model_free(scene.model);
}

/* ---- expectations ---- */

/* What the engine expects after the client's PORT, or the server's 227, in a scene: an own port of the announcing
 * party. */
static struct expectation announced(const struct scene *scene, enum direction by, uint16_t port)
{
	const struct tuple *me = &scene->binding.tuple[by], *peer = &scene->binding.tuple[!by];

	return (struct expectation){
		.tuple = { .src = with_port(peer->src, 0), .dst = with_port(peer->dst, port) },
		.translated = binding_translated(&scene->binding),
		.nat_direction = !by,
		.nat_src = with_port(me->src, port),
	};
}

/* The data connection of such an announcement, in each view. */
static void data_connection(const struct scene *scene, enum direction by, uint16_t from, uint16_t to,
			    struct tuple data[2])
{
	for (unsigned int view = 0; view < 2; view++) {
		const struct tuple *master = &scene->view[view];

		data[view].src = with_port(by == DIRECTION_ORIGINAL ? master->dst : master->src, from);
		data[view].dst = with_port(by == DIRECTION_ORIGINAL ? master->src : master->dst, to);
	}
}

static void data_connections_are_expected(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 16; i++) {
		struct scene scene = scene_open(i & BOTH, SEQADJ_KERNEL);
		const enum direction by = i & 4 ? DIRECTION_REPLY : DIRECTION_ORIGINAL;
		const enum model_view view = i & 8 ? MODEL_OUTSIDE : MODEL_INSIDE;
		const struct expectation expectation = announced(&scene, by, 3000);
		struct model_connection connection;
		struct tuple data[2], back;

		assert_int_equal(expect(&scene, &scene.binding, &expectation), 0);
		assert_int_equal(model_expectations(scene.model), 1);
		data_connection(&scene, by, (uint16_t)(1024 + unit_pick(50000)), 3000, data);
		connection = tracked(scene.model, view, &data[view], TCP_SYN);
		assert_true(connection.is_new);
		assert_true(connection.expected);
		assert_int_equal(connection.direction, DIRECTION_ORIGINAL);
		same_endpoint(&connection.binding.tuple[DIRECTION_ORIGINAL].src, &data[MODEL_INSIDE].src);
		same_endpoint(&connection.binding.tuple[DIRECTION_ORIGINAL].dst, &data[MODEL_OUTSIDE].dst);
		same_endpoint(&connection.binding.tuple[DIRECTION_REPLY].src, &data[MODEL_INSIDE].dst);
		same_endpoint(&connection.binding.tuple[DIRECTION_REPLY].dst, &data[MODEL_OUTSIDE].src);
		translates(scene.model, data);
		/* It is used up, though not forgotten. */
		assert_int_equal(model_expectations(scene.model), 0);
		back = inverse(&data[view]);
		assert_true(tracked(scene.model, view, &back, TCP_SYN | TCP_ACK).expected);
		data[view].src.port++;
		assert_false(tracked(scene.model, view, &data[view], TCP_SYN).expected);
		model_free(scene.model);
	}
}

static void others_are_not_expected(void **state)
{
	struct scene scene = scene_open(SOURCE, SEQADJ_KERNEL);
	const struct expectation expectation = announced(&scene, DIRECTION_ORIGINAL, 3000);
	struct tuple data[2], other;

	(void)state;
	assert_int_equal(expect(&scene, &scene.binding, &expectation), 0);
	data_connection(&scene, DIRECTION_ORIGINAL, 20, 3000, data);
	other = data[MODEL_OUTSIDE];
	other.dst.port = 3001;
	assert_false(tracked(scene.model, MODEL_OUTSIDE, &other, TCP_SYN).expected);
	other = data[MODEL_OUTSIDE];
	other.src = SOMEONE_ELSE;
	assert_false(tracked(scene.model, MODEL_OUTSIDE, &other, TCP_SYN).expected);
	other = (struct tuple){ .src = data[MODEL_OUTSIDE].src, .dst = with_port(SOMEONE_ELSE, 3000) };
	assert_false(tracked(scene.model, MODEL_OUTSIDE, &other, TCP_SYN).expected);
	other = inverse(&data[MODEL_OUTSIDE]);
	assert_false(tracked(scene.model, MODEL_OUTSIDE, &other, TCP_SYN).expected);
	assert_int_equal(model_expectations(scene.model), 1);
	model_free(scene.model);
}

/* In the middle of a data connection an expectation says which way it went. */
static void expectations_tell_the_direction(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 4; i++) {
		struct scene scene = scene_open(SOURCE, SEQADJ_KERNEL);
		const struct expectation expectation = announced(&scene, DIRECTION_ORIGINAL, 3000);
		const enum model_view view = i & 1 ? MODEL_OUTSIDE : MODEL_INSIDE;
		struct model_connection connection;
		struct tuple data[2], back;

		assert_int_equal(expect(&scene, &scene.binding, &expectation), 0);
		data_connection(&scene, DIRECTION_ORIGINAL, 20, 3000, data);
		back = inverse(&data[view]);
		connection = tracked(scene.model, view, i & 2 ? &back : &data[view], TCP_ACK);
		assert_true(connection.is_new);
		assert_true(connection.expected);
		assert_int_equal(connection.direction, i & 2 ? DIRECTION_REPLY : DIRECTION_ORIGINAL);
		same_endpoint(&connection.binding.tuple[DIRECTION_ORIGINAL].src, &data[MODEL_INSIDE].src);
		model_free(scene.model);
	}
}

/* Two clients behind one address, both of which listen on the same port: another one is shown for the second. */
static void expectations_of_two_masters(void **state)
{
	struct model *model = shared();
	struct scene scene[2];
	struct expectation expectation[2];
	struct tuple data[2];

	(void)state;
	for (unsigned int i = 0; i < 2; i++) {
		scene[i] = (struct scene){ .model = model, .conntrack = model_conntrack(model) };
		scene[i].view[MODEL_INSIDE] = (struct tuple){ .src = v4(10, (uint8_t)(i + 1), 40000), .dst = SERVER };
		scene[i].binding = tracked(model, MODEL_INSIDE, &scene[i].view[MODEL_INSIDE], TCP_SYN).binding;
		expectation[i] = announced(&scene[i], DIRECTION_ORIGINAL, 3000);
	}
	assert_int_equal(expect(&scene[0], &scene[0].binding, &expectation[0]), 0);
	expectation[1].tuple.src.port = 99; /* which is ignored */
	assert_int_equal(expect(&scene[1], &scene[1].binding, &expectation[1]), -EBUSY);
	assert_int_equal(model_expectations(model), 1);
	unexpect(&scene[1], &scene[1].binding, &expectation[1]);
	assert_int_equal(model_expectations(model), 1);
	expectation[1].tuple.dst.port = 3001;
	assert_int_equal(expect(&scene[1], &scene[1].binding, &expectation[1]), 0);
	assert_int_equal(model_expectations(model), 2);
	for (unsigned int i = 0; i < 2; i++) {
		data[MODEL_OUTSIDE] =
			(struct tuple){ .src = with_port(SERVER, 20), .dst = v4(192, 1, (uint16_t)(3000 + i)) };
		data[MODEL_INSIDE] =
			(struct tuple){ .src = with_port(SERVER, 20), .dst = v4(10, (uint8_t)(i + 1), 3000) };
		assert_true(tracked(model, MODEL_OUTSIDE, &data[MODEL_OUTSIDE], TCP_SYN).expected);
		translates(model, data);
	}
	assert_int_equal(model_expectations(model), 0);
	model_free(model);
}

static void equal_expectations_are_replaced(void **state)
{
	struct scene scene = scene_open(NOTHING, SEQADJ_KERNEL);
	struct expectation expectation = announced(&scene, DIRECTION_REPLY, 3000);

	(void)state;
	model_set_time(scene.model, 1000);
	assert_int_equal(expect(&scene, &scene.binding, &expectation), 0);
	model_set_time(scene.model, 2000);
	expectation.tuple.src.port = 99;
	assert_int_equal(expect(&scene, &scene.binding, &expectation), 0);
	assert_int_equal(model_expectations(scene.model), 1);
	model_set_time(scene.model, 1000 + TIMEOUT);
	assert_int_equal(model_expectations(scene.model), 1);
	model_set_time(scene.model, 2000 + TIMEOUT);
	assert_int_equal(model_expectations(scene.model), 0);
	model_free(scene.model);
}

static void unexpected(void **state)
{
	struct scene scene = scene_open(BOTH, SEQADJ_KERNEL);
	struct expectation first = announced(&scene, DIRECTION_REPLY, 3000);
	const struct expectation second = announced(&scene, DIRECTION_REPLY, 3001);
	struct binding unknown = scene.binding;
	struct tuple data[2];

	(void)state;
	unexpect(&scene, &scene.binding, &first); /* that it is not there is no error */
	unknown.tuple[DIRECTION_ORIGINAL].src.port++;
	assert_int_equal(expect(&scene, &unknown, &first), -ENOENT);
	assert_int_equal(expect(&scene, &scene.binding, &first), 0);
	assert_int_equal(expect(&scene, &scene.binding, &second), 0);
	assert_int_equal(model_expectations(scene.model), 2);
	unexpect(&scene, &unknown, &first);
	assert_int_equal(model_expectations(scene.model), 2);
	first.tuple.src.port = 99;
	unexpect(&scene, &scene.binding, &first);
	unexpect(&scene, &scene.binding, &first);
	assert_int_equal(model_expectations(scene.model), 1);
	data_connection(&scene, DIRECTION_REPLY, 5000, 3000, data);
	assert_false(tracked(scene.model, MODEL_INSIDE, &data[MODEL_INSIDE], TCP_SYN).expected);
	data_connection(&scene, DIRECTION_REPLY, 5000, 3001, data);
	assert_true(tracked(scene.model, MODEL_INSIDE, &data[MODEL_INSIDE], TCP_SYN).expected);
	model_free(scene.model);
}

static void expectations_time_out(void **state)
{
	struct scene scene = scene_open(NOTHING, SEQADJ_KERNEL);
	struct expectation expectation;
	struct tuple data[2];

	(void)state;
	for (uint16_t i = 0; i < 10; i++) {
		expectation = announced(&scene, DIRECTION_REPLY, 3000 + i);
		model_set_time(scene.model, 1000 + i);
		assert_int_equal(expect(&scene, &scene.binding, &expectation), 0);
	}
	for (unsigned int i = 0; i < 10; i++) {
		model_set_time(scene.model, 1000 + i + TIMEOUT - 1);
		assert_int_equal(model_expectations(scene.model), 10 - i);
		model_set_time(scene.model, 5); /* time does not step back */
	}
	data_connection(&scene, DIRECTION_REPLY, 5000, 3000, data);
	assert_false(tracked(scene.model, MODEL_INSIDE, &data[MODEL_INSIDE], TCP_SYN).expected);
	expectation = announced(&scene, DIRECTION_REPLY, 4000);
	assert_int_equal(expect(&scene, &scene.binding, &expectation), 0);
	model_set_time(scene.model, 1009 + TIMEOUT);
	assert_int_equal(model_expectations(scene.model), 1);
	model_free(scene.model);
}

/* Renewed, one outlives those that were made after it. */
static void renewed(void **state)
{
	struct scene scene = scene_open(BOTH, SEQADJ_KERNEL);
	const struct expectation first = announced(&scene, DIRECTION_REPLY, 3000);
	const struct expectation second = announced(&scene, DIRECTION_REPLY, 3001);
	const struct conntrack_ops *ops = scene.conntrack->ops;
	struct binding unknown = scene.binding;
	struct tuple data[2];

	(void)state;
	unknown.tuple[DIRECTION_ORIGINAL].src.port++;
	assert_int_equal(expect(&scene, &scene.binding, &first), 0);
	assert_int_equal(expect(&scene, &scene.binding, &second), 0);
	model_set_time(scene.model, TIMEOUT - 1);
	assert_int_equal(ops->renew(scene.conntrack, &unknown, &first, TIMEOUT / 1000), -ENOENT);
	assert_int_equal(ops->renew(scene.conntrack, &scene.binding, &first, TIMEOUT / 1000), 0);
	model_set_time(scene.model, TIMEOUT + 1);
	assert_int_equal(ops->renew(scene.conntrack, &scene.binding, &second, TIMEOUT / 1000), -ENOENT);
	assert_int_equal(model_expectations(scene.model), 1);
	model_set_time(scene.model, 2 * TIMEOUT - 2);
	data_connection(&scene, DIRECTION_REPLY, 5000, 3000, data);
	assert_true(tracked(scene.model, MODEL_INSIDE, &data[MODEL_INSIDE], TCP_SYN).expected);
	assert_int_equal(ops->renew(scene.conntrack, &scene.binding, &first, TIMEOUT / 1000),
			 -ENOENT); /* it is used up */
	model_free(scene.model);
}

/* Renewed for less than its whole time, one does not outlive what was made after it, nor keep that. */
static void renewed_for_less(void **state)
{
	struct scene scene = scene_open(BOTH, SEQADJ_KERNEL);
	const struct expectation first = announced(&scene, DIRECTION_REPLY, 3000);
	const struct expectation second = announced(&scene, DIRECTION_REPLY, 3001);
	const struct expectation third = announced(&scene, DIRECTION_REPLY, 3002);

	(void)state;
	assert_int_equal(expect(&scene, &scene.binding, &first), 0);
	assert_int_equal(expect(&scene, &scene.binding, &second), 0);
	model_set_time(scene.model, 1000);
	assert_int_equal(expect(&scene, &scene.binding, &third), 0);
	assert_int_equal(scene.conntrack->ops->renew(scene.conntrack, &scene.binding, &first, 60), 0);
	model_set_time(scene.model, 60999);
	assert_int_equal(model_expectations(scene.model), 3);
	model_set_time(scene.model, 61000);
	assert_int_equal(model_expectations(scene.model), 2);
	model_set_time(scene.model, TIMEOUT);
	assert_int_equal(model_expectations(scene.model), 1);
	model_free(scene.model);
}

/* What is silent for long is forgotten, with what is expected for it; what is kept is not. */
static void silent_connections(void **state)
{
	struct scene scene = scene_open(NOTHING, SEQADJ_KERNEL);
	const struct expectation expectation = announced(&scene, DIRECTION_REPLY, 3000);
	const struct tuple *seen = &scene.binding.tuple[DIRECTION_ORIGINAL];
	struct sight kept = { .keep = true }, asked = { .keep = false };

	(void)state;
	model_set_timeouts(scene.model, 30, 100);
	model_set_time(scene.model, 90000);
	assert_int_equal(scene.conntrack->ops->look(scene.conntrack, seen, 0, &kept), 0);
	model_set_time(scene.model, 180000);
	assert_int_equal(scene.conntrack->ops->look(scene.conntrack, seen, 0, &asked), 0);
	assert_int_equal(expect(&scene, &scene.binding, &expectation), 0);
	model_set_time(scene.model, 190001);
	assert_int_equal(scene.conntrack->ops->look(scene.conntrack, seen, 0, &kept), -ENOENT);
	assert_int_equal(model_expectations(scene.model), 0);
	model_free(scene.model);
}

/* ---- sequence adjustments ---- */

static void adjusts(enum seqadj_by by)
{
	static const struct seqadj adjustment = { .pos = 77, .before = -3, .after = 5 };
	struct scene scene = scene_open(BOTH, by);
	const struct conntrack_ops *ops = scene.conntrack->ops;
	struct binding unknown = scene.binding, found;
	enum direction direction;

	unknown.tuple[DIRECTION_REPLY].src.port++;
	assert_int_equal(ops->adjust_seq(scene.conntrack, &unknown, DIRECTION_REPLY, &adjustment), -ENOENT);
	for (unsigned int i = 0; i < 2; i++)
		assert_int_equal(ops->adjust_seq(scene.conntrack, &scene.binding, DIRECTION_REPLY, &adjustment), by);
	for (unsigned int i = 0; i < 2; i++) {
		const struct tuple back = inverse(&scene.view[MODEL_INSIDE]);

		assert_int_equal(find(&scene, i ? &back : &scene.view[MODEL_INSIDE], &found, &direction), 0);
		assert_int_equal(direction, i ? DIRECTION_REPLY : DIRECTION_ORIGINAL);
		assert_false(seqadj_active(&found.seqadj[DIRECTION_ORIGINAL]));
		assert_int_equal(seqadj_active(&found.seqadj[DIRECTION_REPLY]), by == SEQADJ_KERNEL);
		if (by == SEQADJ_KERNEL)
			assert_memory_equal(&found.seqadj[DIRECTION_REPLY], &adjustment, sizeof(adjustment));
	}
	model_free(scene.model);
}

static void adjusts_sequence_numbers(void **state)
{
	(void)state;
	adjusts(SEQADJ_KERNEL);
	adjusts(SEQADJ_SELF);
}

/* The next connection between the same endpoints knows nothing of what the last one was adjusted by. */
static void adjustments_end_with_their_connection(void **state)
{
	static const struct seqadj adjustment = { .pos = 77, .after = 5 };
	struct scene scene = scene_open(NOTHING, SEQADJ_KERNEL);
	struct binding found;
	enum direction direction;

	(void)state;
	assert_int_equal(
		scene.conntrack->ops->adjust_seq(scene.conntrack, &scene.binding, DIRECTION_ORIGINAL, &adjustment),
		SEQADJ_KERNEL);
	tracked(scene.model, MODEL_INSIDE, &scene.view[MODEL_INSIDE], TCP_RST);
	tracked(scene.model, MODEL_INSIDE, &scene.view[MODEL_INSIDE], TCP_SYN);
	assert_int_equal(find(&scene, &scene.view[MODEL_INSIDE], &found, &direction), 0);
	assert_false(seqadj_active(&found.seqadj[DIRECTION_ORIGINAL]));
	model_free(scene.model);
}

/* ---- the tables underneath ---- */

struct thing {
	struct index_link link;
	unsigned int number;
};

/* Few hashes for many links, so that each has a chain; and far more of them than there were buckets at first. */
static void index_keeps_the_order(void **state)
{
	static struct thing things[1000];
	struct index index = { 0 };

	(void)state;
	assert_null(index_first(&index, 0));
	for (unsigned int i = 0; i < 1000; i++) {
		things[i].number = i;
		assert_int_equal(index_insert(&index, &things[i].link, (uint64_t)(i % 7) << 40 | (i % 3)), 0);
	}
	assert_int_equal(index.count, 1000);
	for (unsigned int i = 0; i < 1000; i += 2)
		index_remove(&index, &things[i].link);
	assert_int_equal(index.count, 500);
	for (unsigned int hash = 0; hash < 21; hash++) {
		const struct index_link *link = index_first(&index, (uint64_t)(hash % 7) << 40 | (hash % 3));

		for (unsigned int i = hash; i < 1000; i += 21) {
			if (i % 2 == 0)
				continue;
			assert_non_null(link);
			assert_int_equal(index_entry(link, struct thing, link)->number, i);
			link = index_next(link);
		}
		assert_null(link);
	}
	assert_null(index_first(&index, 12345));
	index_free(&index);
	assert_int_equal(index.count, 0);
	assert_null(index_first(&index, 0));
}

#define TUPLES	40
#define MASTERS 3

/* What the table should hold. */
struct plain {
	const void *master[TUPLES]; /* NULL: not expected */
	uint64_t expires[TUPLES];
};

static struct tuple numbered(unsigned int number)
{
	return (struct tuple){ .src = number & 1 ? v6(1, 1, (uint16_t)unit_random()) :
						   v4(10, 1, (uint16_t)unit_random()),
			       .dst = number & 1 ? v6(2, 1, (uint16_t)number) : v4(172, 1, (uint16_t)number) };
}

static void check_plain(const struct expectations *expectations, const struct plain *plain)
{
	size_t count = 0;

	for (unsigned int i = 0; i < TUPLES; i++) {
		const struct tuple tuple = numbered(i);

		for (unsigned int as = 0; as < EXPECTED_AS; as++) {
			const struct model_expected *expected = expectations_find(expectations, as, &tuple);

			assert_int_equal(expected != NULL, plain->master[i] != NULL);
			if (!expected)
				continue;
			assert_ptr_equal(expected->master, plain->master[i]);
			assert_int_equal(expected->expires, plain->expires[i]);
		}
		count += plain->master[i] != NULL;
	}
	assert_int_equal(expectations->count, count);
}

static void expectations_against_a_list(void **state)
{
	static const char masters[MASTERS];
	struct expectations expectations = { 0 };
	struct plain plain = { .expires = { 0 } };

	(void)state;
	for (uint64_t now = 1; now < 20000; now++) {
		const unsigned int number = unit_pick(TUPLES);
		const struct tuple tuple = numbered(number);
		const struct tuple as[EXPECTED_AS] = { tuple, tuple, tuple };
		const void *master = &masters[unit_pick(MASTERS)];
		struct model_expected *expected = expectations_find(&expectations, EXPECTED_CONNTRACK, &tuple);
		int error;

		switch (unit_pick(20)) {
		case 0:
			expectations_remove_master(&expectations, master);
			for (unsigned int i = 0; i < TUPLES; i++)
				plain.master[i] = plain.master[i] == master ? NULL : plain.master[i];
			break;
		case 1:
		case 2:
		case 3:
			if (expected)
				expectations_remove(&expectations, expected);
			plain.master[number] = NULL;
			break;
		case 4:
			expectations_expire(&expectations, now);
			for (unsigned int i = 0; i < TUPLES; i++)
				plain.master[i] = plain.expires[i] <= now ? NULL : plain.master[i];
			break;
		default:
			error = expectations_add(&expectations, master, as, now + 60);
			if (plain.master[number] && plain.master[number] != master) {
				assert_int_equal(error, -EBUSY);
				break;
			}
			assert_int_equal(error, 0);
			plain.master[number] = master;
			plain.expires[number] = now + 60;
			break;
		}
		check_plain(&expectations, &plain);
	}
	expectations_free(&expectations);
	assert_int_equal(expectations.count, 0);
}

/* Seen from the inside, several expectations may be one: then the oldest is meant. */
static void the_oldest_matches(void **state)
{
	static const char master;
	struct expectations expectations = { 0 };
	const struct tuple inside = { .src = SERVER, .dst = v4(10, 2, 3000) };
	struct tuple as[EXPECTED_AS] = { [EXPECTED_INSIDE] = inside };

	(void)state;
	for (uint16_t port = 3; port > 0; port--) {
		as[EXPECTED_CONNTRACK] = as[EXPECTED_OUTSIDE] =
			(struct tuple){ .src = SERVER, .dst = v4(192, 1, port) };
		assert_int_equal(expectations_add(&expectations, &master, as, 10u - port), 0);
	}
	for (uint16_t port = 3; port > 0; port--) {
		struct model_expected *expected = expectations_find(&expectations, EXPECTED_INSIDE, &inside);

		assert_non_null(expected);
		assert_int_equal(expected->as[EXPECTED_CONNTRACK].dst.port, port);
		expectations_remove(&expectations, expected);
	}
	assert_null(expectations_find(&expectations, EXPECTED_INSIDE, &inside));
	expectations_free(&expectations);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_connection_in_both_views),
		cmocka_unit_test(find_goes_by_the_inside),
		cmocka_unit_test(first_packets),
		cmocka_unit_test(pick_up),
		cmocka_unit_test(closed_connections_begin_again),
		cmocka_unit_test(closed_connections_begin_the_other_way_round),
		cmocka_unit_test(many_connections),
		cmocka_unit_test(nat_lists),
		cmocka_unit_test(translates_headers),
		cmocka_unit_test(ports_collide),
		cmocka_unit_test(ports_are_used_up),
		cmocka_unit_test(no_two_are_one_inside),
		cmocka_unit_test(data_connections_are_expected),
		cmocka_unit_test(others_are_not_expected),
		cmocka_unit_test(expectations_tell_the_direction),
		cmocka_unit_test(expectations_of_two_masters),
		cmocka_unit_test(equal_expectations_are_replaced),
		cmocka_unit_test(unexpected),
		cmocka_unit_test(expectations_time_out),
		cmocka_unit_test(renewed),
		cmocka_unit_test(renewed_for_less),
		cmocka_unit_test(silent_connections),
		cmocka_unit_test(adjusts_sequence_numbers),
		cmocka_unit_test(adjustments_end_with_their_connection),
		cmocka_unit_test(index_keeps_the_order),
		cmocka_unit_test(expectations_against_a_list),
		cmocka_unit_test(the_oldest_matches),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
