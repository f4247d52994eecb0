// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The settings table: values that a setting takes, and those that it does not.
 */
#include "unit.h"

#include "daemon/settings.h"

static bool set(struct options *options, const char *name, const char *value)
{
	const struct setting *setting = settings_find(name);

	assert_non_null(setting);
	return setting->set(options, value);
}

static void share_exempt(void **state)
{
	static const char seventeen[] = "1.1.1.1,1.1.1.2,1.1.1.3,1.1.1.4,1.1.1.5,1.1.1.6,1.1.1.7,1.1.1.8,1.1.1.9,1.1.1.10,"
					"1.1.1.11,1.1.1.12,1.1.1.13,1.1.1.14,1.1.1.15,1.1.1.16,1.1.1.17";
	static const char *const wrong[] = {
		"",	      ",",	     "10.0.0.0/8,", "10.0.0.1/8",   "10.0.0.0/33", "10.0.0/8", "10.0.0.0/",
		"10.0.0.0/8x", "2001:db8::1/64", "::/129",	    "10.0.0.0/-1", "a proxy",	 "::1/0",
		seventeen,
	};
	struct options options;

	(void)state;
	settings_default(&options);
	assert_int_equal(options.policy.exempt_count, 0);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		if (set(&options, "share-exempt", wrong[i]))
			fail_msg("`%s' was taken", wrong[i]);
	assert_true(set(&options, "share-exempt", "100.64.0.0/10,2001:db8:7::/48,192.0.2.7"));
	assert_int_equal(options.policy.exempt_count, 3);
	assert_int_equal(options.policy.exempt[0].family, FAMILY_IPV4);
	assert_int_equal(options.policy.exempt[0].bits, 10);
	assert_int_equal(options.policy.exempt[0].address[1], 64);
	assert_int_equal(options.policy.exempt[1].family, FAMILY_IPV6);
	assert_int_equal(options.policy.exempt[1].bits, 48);
	assert_int_equal(options.policy.exempt[1].address[5], 7);
	assert_int_equal(options.policy.exempt[2].bits, 32);
	/* Said again, that is what holds: the command line after the file. */
	assert_true(set(&options, "share-exempt", "::/0"));
	assert_int_equal(options.policy.exempt_count, 1);
	assert_int_equal(options.policy.exempt[0].family, FAMILY_IPV6);
}

static void each_has_a_sentence(void **state)
{
	unsigned int count;
	const struct setting *table = settings_table(&count);

	(void)state;
	assert_in_range(count, 1, SETTINGS_MAX);
	for (unsigned int i = 0; i < count; i++) {
		struct options options;

		settings_default(&options);
		assert_ptr_equal(settings_find(table[i].name), &table[i]);
		assert_true(strlen(table[i].help) > 0 && strlen(table[i].allowed) > 0);
		if (table[i].argument && strcmp(table[i].argument, "DIR") != 0 && strcmp(table[i].argument, "FILE") != 0)
			assert_false(table[i].set(&options, "no such value"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(share_exempt),
		cmocka_unit_test(each_has_a_sentence),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
