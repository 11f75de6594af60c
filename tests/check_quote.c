// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include <locale.h>
#include <stdlib.h>
#include <string.h>

#include "base.h"
#include "quote.h"
#include "suites.h"

struct pair {
	const char *name;
	const char *quoted;
};

static const struct pair always[] = {
	{"", "''"},
	{"f", "'f'"},
	{"a b:c", "'a b:c'"},
	{"back\\slash", "'back\\slash'"},
	{"a\nb", "'a'$'\\n''b'"},
	{"\nb", "''$'\\n''b'"},
	{"a\n", "'a'$'\\n'"},
	{"\a\b\f\n\r\t\v", "''$'\\a\\b\\f\\n\\r\\t\\v'"},
	{"\033[1m\177", "''$'\\033''[1m'$'\\177'"},
};

static const struct pair with_apostrophe[] = {
	{"'", "\"'\""},
	{"it's", "\"it's\""},
	{"it's a #1 ~", "'it'\\''s a #1 ~'"},
	{"#it's", "\"#it's\""},
	{"~it's", "\"~it's\""},
	{"it's: 5% @ +-.,/_]", "\"it's: 5% @ +-.,/_]\""},
	{"it's\"", "'it'\\''s\"'"},
	{"it's $5", "'it'\\''s $5'"},
	{"it's {}", "'it'\\''s {}'"},
	{"it's\\", "'it'\\''s\\'"},
	{"'\n'", "''\\'''$'\\n'\\'''"},
	{"\n'", "''$'\\n'\\'''"},
	{"it's\n", "'it'\\''s'$'\\n'"},
};

static const char *const plain[] = {

	"f", "/dev/sda", "a-b_c.d,e+f%g@h]", "a#b~", "a{b}", "{}", "}{",
};

static const struct pair not_plain[] = {
	{"", "''"},	    {"a b", "'a b'"},
	{"a:b", "'a:b'"},   {"#a", "'#a'"},
	{"~", "'~'"},	    {"{", "'{'"},
	{"}", "'}'"},	    {"it's", "\"it's\""},
	{"a\\b", "'a\\b'"}, {"a\tb", "'a'$'\\t''b'"},
};

// Each of them alone in the middle of a name asks for quotes.
static const char shell_letters[] = " !\"$&()*;<=>?[\\^`|:";

static const struct pair symbols_c[] = {
	{"", "''"},
	{"fullblock", "'fullblock'"},
	{"a'b", "'a\\'b'"},
	{"a\\b", "'a\\\\b'"},
	{"a\"b c", "'a\"b c'"},
	{"a\nb\001", "'a\\nb\\001'"},
	{"\xc3\xa9", "'\\303\\251'"},
};

static const struct pair always_utf8[] = {
	{"\xc3\xa9t\xc3\xa9", "'\xc3\xa9t\xc3\xa9'"},
	{"l'\xc3\xa9t\xc3\xa9", "\"l'\xc3\xa9t\xc3\xa9\""},
	// No character, half a character, one that is not printable.
	{"a\377b", "'a'$'\\377''b'"},
	{"a\xe2\x80", "'a'$'\\342\\200'"},
	{"\xe2\x80\xa8", "''$'\\342\\200\\250'"},
	{"\xff\xc3\xa9", "''$'\\377''\xc3\xa9'"},
};

static const struct pair symbols_utf8[] = {
	{"foo", "\342\200\230foo\342\200\231"},
	{"it's", "\xe2\x80\x98it's\xe2\x80\x99"},
	{"\xe2\x80\x98", "\xe2\x80\x98\xe2\x80\x98\xe2\x80\x99"},
	{"\xe2\x80\x99", "\xe2\x80\x98\\\xe2\x80\x99\xe2\x80\x99"},
	{"\xc3\xa9\xff\\", "\xe2\x80\x98\xc3\xa9\\377\\\\\xe2\x80\x99"},
};

static void
use_c(void)
{
	ck_assert_ptr_nonnull(setlocale(LC_ALL, "C"));
}

static void
use_utf8(void)
{
	ck_assert_ptr_nonnull(setlocale(LC_ALL, "C.UTF-8"));
}

// Frees quoted.
static void
check_quoted(char *quoted, const char *want)
{
	ck_assert_str_eq(quoted, want);
	free(quoted);
}

START_TEST(names_get_single_quotes_and_escapes_stand_apart)
	{
		check_quoted(quote_name_always(always[_i].name),
			     always[_i].quoted);
	}
END_TEST

START_TEST(an_apostrophe_alone_gets_double_quotes)
	{
		check_quoted(quote_name_always(with_apostrophe[_i].name),
			     with_apostrophe[_i].quoted);
	}
END_TEST

START_TEST(plain_names_stay_as_they_are_before_a_colon)
	{
		check_quoted(quote_name_colon(plain[_i]), plain[_i]);
	}
END_TEST

START_TEST(other_names_are_quoted_before_a_colon)
	{
		check_quoted(quote_name_colon(not_plain[_i].name),
			     not_plain[_i].quoted);
	}
END_TEST

START_TEST(letters_of_the_shell_ask_for_quotes)
	{
		char name[] = {'a', shell_letters[_i], 'b', '\0'};
		char want[] = {'\'', 'a', shell_letters[_i], 'b', '\'', '\0'};

		check_quoted(quote_name_colon(name), want);
	}
END_TEST

START_TEST(bytes_above_ascii_are_octal_in_the_c_locale)
	{
		check_quoted(quote_name_colon("\xc3\xa9"), "''$'\\303\\251'");
	}
END_TEST

START_TEST(symbols_have_plain_quotes_and_c_escapes)
	{
		const char *text = symbols_c[_i].name;

		check_quoted(quote_symbol(text, strlen(text)),
			     symbols_c[_i].quoted);
	}
END_TEST

START_TEST(a_symbol_may_be_a_part_of_a_text)
	{
		check_quoted(quote_symbol("foo,bar", 3), "'foo'");
	}
END_TEST

START_TEST(a_symbol_cut_in_a_character_is_not_read_further)
	{
		check_quoted(quote_symbol("\xc3\xa9", 1),
			     "\xe2\x80\x98\\303\xe2\x80\x99");
	}
END_TEST

START_TEST(a_command_is_one_line_that_a_shell_reads_back)
{
	char words[][16] = {"aiodd", "if=/dev/sda", "a b", "of=x\ny",
			    "=",     "bs=1M",	    "",	   "nbd://h:1/x"};
	char *argv[ARRAY_LEN(words) + 1] = {NULL};

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		argv[i] = words[i];
	char *text = quote_command(argv);

	ck_assert_str_eq(text, "aiodd if=/dev/sda 'a b' 'of=x'$'\\n''y' '=' "
			       "bs=1M '' nbd://h:1/x");
	free(text);
}
END_TEST

START_TEST(printable_characters_stay_in_utf8)
	{
		check_quoted(quote_name_always(always_utf8[_i].name),
			     always_utf8[_i].quoted);
	}
END_TEST

START_TEST(accents_need_no_quotes_in_utf8)
	{
		check_quoted(quote_name_colon("\xc3\xa9t\xc3\xa9"),
			     "\xc3\xa9t\xc3\xa9");
	}
END_TEST

START_TEST(symbols_have_typographic_quotes_in_utf8)
	{
		const char *text = symbols_utf8[_i].name;

		check_quoted(quote_symbol(text, strlen(text)),
			     symbols_utf8[_i].quoted);
	}
END_TEST

static TCase *
c_tcase(void)
{
	TCase *t = tcase_create("c");

	tcase_add_checked_fixture(t, use_c, use_c);
	tcase_add_loop_test(t, names_get_single_quotes_and_escapes_stand_apart,
			    0, ARRAY_LEN(always));
	tcase_add_loop_test(t, an_apostrophe_alone_gets_double_quotes, 0,
			    ARRAY_LEN(with_apostrophe));
	tcase_add_loop_test(t, plain_names_stay_as_they_are_before_a_colon, 0,
			    ARRAY_LEN(plain));
	tcase_add_loop_test(t, other_names_are_quoted_before_a_colon, 0,
			    ARRAY_LEN(not_plain));
	tcase_add_test(t, a_command_is_one_line_that_a_shell_reads_back);
	tcase_add_loop_test(t, letters_of_the_shell_ask_for_quotes, 0,
			    ARRAY_LEN(shell_letters) - 1);
	tcase_add_test(t, bytes_above_ascii_are_octal_in_the_c_locale);
	tcase_add_loop_test(t, symbols_have_plain_quotes_and_c_escapes, 0,
			    ARRAY_LEN(symbols_c));
	tcase_add_test(t, a_symbol_may_be_a_part_of_a_text);
	return t;
}

static TCase *
utf8_tcase(void)
{
	TCase *t = tcase_create("utf8");

	tcase_add_checked_fixture(t, use_utf8, use_c);
	tcase_add_loop_test(t, printable_characters_stay_in_utf8, 0,
			    ARRAY_LEN(always_utf8));
	tcase_add_test(t, accents_need_no_quotes_in_utf8);
	tcase_add_loop_test(t, symbols_have_typographic_quotes_in_utf8, 0,
			    ARRAY_LEN(symbols_utf8));
	tcase_add_test(t, a_symbol_cut_in_a_character_is_not_read_further);
	return t;
}

Suite *
quote_suite(void)
{
	Suite *s = suite_create("quote");

	suite_add_tcase(s, c_tcase());
	suite_add_tcase(s, utf8_tcase());
	return s;
}
