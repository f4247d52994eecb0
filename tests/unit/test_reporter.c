// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the log has of what the engine reports: each kind of line to the letter, no more than addresses below debug, and of what a client
 * can bring about at will a few lines, and a count of the rest.
 */
#include "unit.h"

#include "daemon/reporter.h"

#include <errno.h>
#include <unistd.h>

#define ENDS "client=10.0.0.2:40000 server=192.0.2.1:21"

static struct reporter reporter;
static char logged[1u << 20];
static FILE *file;
static int real_stderr;

static const struct endpoint client = { .family = FAMILY_IPV4, .address = { 10, 0, 0, 2 }, .port = 40000 };
static const struct endpoint server = { .family = FAMILY_IPV4, .address = { 192, 0, 2, 1 }, .port = 21 };
static const struct endpoint outside = { .family = FAMILY_IPV4, .address = { 198, 51, 100, 254 }, .port = 3001 };
static const struct endpoint inside = { .family = FAMILY_IPV4, .address = { 10, 0, 0, 2 }, .port = 3001 };

static int set_up(void **state)
{
	(void)state;
	memset(&reporter, 0, sizeof(reporter));
	reporter.now = 100000;
	log_set_level(LOG_LEVEL_DEBUG);
	file = unit_stream(tmpfile());
	real_stderr = dup(STDERR_FILENO);
	return dup2(fileno(file), STDERR_FILENO) < 0;
}

static int tear_down(void **state)
{
	(void)state;
	dup2(real_stderr, STDERR_FILENO);
	close(real_stderr);
	return fclose(file);
}

/* What has been logged since this was called last. */
static const char *said(void)
{
	size_t length;

	assert_int_equal(fseek(file, 0, SEEK_SET), 0);
	length = fread(logged, 1, sizeof(logged) - 1, file);
	logged[length] = '\0';
	assert_int_equal(fseek(file, 0, SEEK_SET), 0);
	assert_int_equal(ftruncate(fileno(file), 0), 0);
	lseek(STDERR_FILENO, 0, SEEK_SET);
	return logged;
}

static unsigned int lines(void)
{
	unsigned int count = 0;

	for (const char *at = said(); (at = strchr(at, '\n')); at++)
		count++;
	return count;
}

static struct report report_of(enum report_kind kind)
{
	return (struct report){ .kind = kind, .client = client, .server = server, .command = "PORT" };
}

static void tell(const struct report *report)
{
	reporter_report(&reporter, report);
}

static void refuse(const struct endpoint *from, enum refusal refusal, const char *text)
{
	struct report report = report_of(REPORT_REFUSE);

	report.client = *from;
	report.refusal = refusal;
	report.from = text;
	report.from_length = (uint32_t)strlen(text);
	report.port = refusal == REFUSED_MALFORMED ? 0 : 22;
	tell(&report);
}

static void each_kind(void **state)
{
	struct report report = report_of(REPORT_REWRITE);
	struct expectation expectation = { .tuple = { .src = server, .dst = outside },
					   .nat_src = inside,
					   .translated = true };

	(void)state;
	report.from = "10,0,0,2,11,185\r\n";
	report.from_length = 17;
	report.to = "198,51,100,254,11,185";
	report.to_length = 21;
	report.adj = (struct seqadj){ .before = 2, .after = 8 };
	report.seq = 77;
	tell(&report);
	assert_string_equal(said(), "nfq-ftp-helper: event=rewrite command=PORT from=\"10,0,0,2,11,185\" "
				    "to=\"198,51,100,254,11,185\" growth=6 seq=77 " ENDS "\n");
	report = report_of(REPORT_EXPECT);
	report.expectation = &expectation;
	tell(&report);
	assert_string_equal(said(), "nfq-ftp-helper: event=expect command=PORT data-from=192.0.2.1 "
				    "data-to=198.51.100.254:3001 inside=10.0.0.2:3001 " ENDS "\n");
	report.kind = REPORT_UNEXPECT;
	expectation.translated = false;
	tell(&report);
	assert_string_equal(said(), "nfq-ftp-helper: event=unexpect command=PORT data-from=192.0.2.1 "
				    "data-to=198.51.100.254:3001 " ENDS "\n");
	report = report_of(REPORT_OPAQUE);
	tell(&report);
	assert_string_equal(said(), "nfq-ftp-helper: event=encrypted " ENDS "\n");
	report = report_of(REPORT_BEGIN);
	tell(&report);
	assert_string_equal(said(), "nfq-ftp-helper: event=opened " ENDS "\n");
	report = report_of(REPORT_END);
	tell(&report);
	assert_string_equal(said(), "nfq-ftp-helper: event=closed " ENDS "\n");
}

static void warnings(void **state)
{
	struct report report = report_of(REPORT_LIMIT);

	(void)state;
	tell(&report);
	assert_string_equal(said(), "nfq-ftp-helper: event=not-followed reason=full why=\"the table is full\" "
				    "advice=\"--sessions sets its size\" " ENDS "\n");
	report.taken = 9;
	tell(&report);
	assert_string_equal(said(),
			    "nfq-ftp-helper: event=not-followed reason=share sessions=9 why=\"its client has its share "
			    "of them\" advice=\"--share-exempt lifts the limit for a network that stands for many "
			    "clients\" " ENDS "\n");
	refuse(&client, REFUSED_PORT, "10,0,0,2,0,22");
	assert_string_equal(
		said(),
		"nfq-ftp-helper: event=refuse reason=port command=PORT argument=\"10,0,0,2,0,22\" "
		"why=\"the port is below the lowest that may be announced\" advice=\"--min-port sets the limit\" " ENDS
		"\n");
	report = report_of(REPORT_REFUSE);
	report.refusal = REFUSED_CONNTRACK;
	report.error = -EPERM;
	report.port = 1;
	report.from = "x";
	report.from_length = 1;
	tell(&report);
	assert_non_null(strstr(said(), "advice=\"this program needs CAP_NET_ADMIN\""));
}

/* A text from the network ends no quotes, and begins no line. What is no address may be a password, at any level. */
static void nothing_is_forged_or_leaks(void **state)
{
	struct endpoint other = client; /* a client has a few lines at once */

	(void)state;
	other.address[3] = 3;
	refuse(&client, REFUSED_MALFORMED, "s3cret\" event=x\n\x1b[31m\xff");
	assert_non_null(strstr(said(), "argument=\"a9aaaa? aaaaa?a??[99a?\" "));
	assert_null(strstr(logged, "s3cret"));
	refuse(&client, REFUSED_MALFORMED, "|1|10.0.0.2|http|\r\n");
	assert_non_null(strstr(said(), "argument=\"|9|99.9.9.9|aaaa|\" "));
	refuse(&other, REFUSED_MALFORMED, "271828");
	assert_non_null(strstr(said(), "argument=\"999999\" "));
	refuse(&other, REFUSED_MALFORMED, "10,0,0,300,11\r\n");
	assert_non_null(strstr(said(), "argument=\"10,0,0,300,11\" "));
	refuse(&client, REFUSED_PORT, "\\1\\10.0.0.2\\22\\");
	assert_non_null(strstr(said(), "argument=\"?1?10.0.0.2?22?\" why="));
	log_set_level(LOG_LEVEL_INFO);
	refuse(&client, REFUSED_MALFORMED, "s3cret");
	assert_non_null(strstr(said(), "argument=\"(6 bytes)\" "));
	assert_null(strstr(logged, "s3cret"));
}

static void level_decides(void **state)
{
	const struct report rewrite = report_of(REPORT_OPAQUE), begin = report_of(REPORT_BEGIN);

	(void)state;
	log_set_level(LOG_LEVEL_NOTICE);
	tell(&rewrite);
	tell(&begin);
	assert_int_equal(lines(), 0);
	log_set_level(LOG_LEVEL_INFO);
	tell(&rewrite);
	tell(&begin);
	assert_int_equal(lines(), 1);
	refuse(&client, REFUSED_PORT, "x");
	assert_int_equal(lines(), 1);
}

/* A client and reason have a few lines; another reason has its own, and so has another client. */
static void a_few_each(void **state)
{
	struct endpoint other = client, host = { .family = FAMILY_IPV6, .address = { 0x20, 1, 0xd, 0xb8 } };

	(void)state;
	other.address[3] = 3;
	for (unsigned int i = 0; i < 50; i++) {
		reporter.now += 20;
		refuse(&client, REFUSED_PORT, "x");
	}
	assert_int_equal(lines(), THROTTLE_LINES);
	refuse(&client, REFUSED_ADDRESS, "x");
	refuse(&other, REFUSED_PORT, "x");
	assert_int_equal(lines(), 2);
	reporter.now += 1000;
	for (unsigned int i = 0; i < 20; i++) { /* all of one /64 */
		host.address[15] = (uint8_t)i;
		refuse(&host, REFUSED_PORT, "x");
	}
	assert_int_equal(lines(), THROTTLE_LINES);
	/* After a while it is said how many there were, once. */
	reporter_tick(&reporter, reporter.now + THROTTLE_MILLISECONDS);
	assert_non_null(strstr(said(), "event=left-out reason=port client=10.0.0.2 lines=47 seconds=10\n"));
	assert_non_null(strstr(logged, "event=left-out reason=port client=2001:db8::/64 lines=17 seconds=10\n"));
	assert_null(strstr(logged, "10.0.0.3"));
	reporter_tick(&reporter, reporter.now + THROTTLE_MILLISECONDS);
	assert_int_equal(lines(), 0);
	refuse(&client, REFUSED_PORT, "x");
	assert_int_equal(lines(), 1);
}

/* Very many clients: no more lines than a second has room for, and each one that is not written is counted. */
static void many_clients(void **state)
{
	unsigned int written = 0, counted = 0, refused = 0;

	(void)state;
	for (unsigned int i = 0; i < 20000; i++, refused++) {
		struct endpoint host = client;

		host.address[1] = (uint8_t)(i % 4000 >> 8);
		host.address[2] = (uint8_t)(i % 4000);
		reporter.now += 1;
		refuse(&host, REFUSED_PORT, "x");
		if (i % 100 == 0)
			reporter_tick(&reporter, reporter.now);
	}
	for (unsigned int i = 0; i < 3; i++)
		reporter_tick(&reporter, reporter.now + THROTTLE_MILLISECONDS);
	said();
	for (const char *line = logged; *line; line = strchr(line, '\n') + 1) {
		const char *lines_at = strstr(line, " lines=");
		const char *const end = strchr(line, '\n');

		if (lines_at && lines_at < end)
			counted += (unsigned int)strtoul(lines_at + 7, NULL, 10);
		else
			written++;
	}
	assert_in_range(written, 100, 250);
	assert_int_equal(written + counted, refused);
}

/* ---- names of interfaces ---- */

struct nlif_handle;

static unsigned int losses; /* so often from now on */

int __real_nlif_catch(struct nlif_handle *handle);
int __wrap_nlif_catch(struct nlif_handle *handle);

int __wrap_nlif_catch(struct nlif_handle *handle)
{
	if (!losses)
		return __real_nlif_catch(handle);
	losses--;
	errno = ENOBUFS;
	return -1;
}

/* However often news are lost, the list is asked for again. */
static void interfaces_have_names_again(void **state)
{
	struct interfaces interfaces = { 0 };
	char name[IF_NAMESIZE];

	(void)state;
	interfaces_refresh(&interfaces);
	assert_string_equal(interfaces_name(&interfaces, 1, name), "if1"); /* it was not asked to begin */
	for (unsigned int times = 0; times < 4; times++) {
		losses = times;
		interfaces_open(&interfaces);
		for (unsigned int i = 0; i < times; i++) {
			assert_string_equal(interfaces_name(&interfaces, 1, name), "if1");
			interfaces_refresh(&interfaces);
		}
		assert_int_equal(losses, 0);
		assert_string_equal(interfaces_name(&interfaces, 1, name), "lo");
		interfaces_close(&interfaces);
		assert_false(interfaces.due);
	}
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(each_kind),  TEST(warnings),     TEST(nothing_is_forged_or_leaks),	 TEST(level_decides),
		TEST(a_few_each), TEST(many_clients), TEST(interfaces_have_names_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
