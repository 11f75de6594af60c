// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "sums.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "fd.h"
#include "hasher.h"
#include "message.h"
#include "quote.h"

static const char *
last_component(const char *name)
{
	const char *slash = strrchr(name, '/');

	return slash ? slash + 1 : name;
}

static int
parse_hex(const char *text, size_t len, enum digest_alg alg,
	  unsigned char *value)
{
	const size_t size = digest_size(alg);

	if (len != 2 * size)
		return -EINVAL;
	for (size_t i = 0; i < len; i++) {
		const int c = tolower((unsigned char)text[i]);

		if (!isxdigit(c))
			return -EINVAL;
		const unsigned nibble =
			(unsigned)(isdigit(c) ? c - '0' : c - 'a' + 10);
		value[i / 2] = (unsigned char)(value[i / 2] << 4 | nibble);
	}
	return 0;
}

static bool
find_alg(const char *name, size_t len, enum digest_alg *ret)
{
	for (enum digest_alg alg = 0; alg < DIGEST_NR; alg++) {
		const char *known = digest_name(alg);

		if (strlen(known) == len &&
		    strncasecmp(known, name, len) == 0) {
			*ret = alg;
			return true;
		}
	}
	return false;
}

// A line without a name of the algorithm has it by its length: the first of
// that size, sha512 rather than blake2b.
static bool
alg_of_length(size_t len, enum digest_alg *ret)
{
	for (enum digest_alg alg = 0; alg < DIGEST_NR; alg++) {
		if (len == 2 * digest_size(alg)) {
			*ret = alg;
			return true;
		}
	}
	return false;
}

// Undo the escapes of a name in place. False: an unknown one.
static bool
unescape(char *name)
{
	char *to = name;

	for (; *name != '\0'; name++) {
		if (*name != '\\') {
			*to++ = *name;
			continue;
		}
		name++;
		if (*name == 'n')
			*to++ = '\n';
		else if (*name == 'r')
			*to++ = '\r';
		else if (*name == '\\')
			*to++ = '\\';
		else
			return false;
	}
	*to = '\0';
	return true;
}

struct line {
	const char *alg;      // NULL: by length
	size_t alg_len;
	const char *hex;
	size_t hex_len;
	char *name;
};

// SHA256 (NAME) = HEX. The name ends at the last parenthesis.
static bool
split_bsd(char *text, struct line *line)
{
	char *open = strstr(text, " (");
	char *close = strrchr(text, ')');

	if (open == NULL || close == NULL || close < open + 2 ||
	    strncmp(close, ") = ", 4) != 0)
		return false;
	line->alg = text;
	line->alg_len = (size_t)(open - text);
	line->name = open + 2;
	*close = '\0';
	line->hex = close + 4;
	line->hex_len = strlen(line->hex);
	return true;
}

// HEX, a blank, a blank or an asterisk, NAME.
static bool
split_gnu(char *text, struct line *line)
{
	const size_t len = strspn(text, "0123456789abcdefABCDEF");

	if (len == 0 || text[len] != ' ' ||
	    (text[len + 1] != ' ' && text[len + 1] != '*'))
		return false;
	line->alg = NULL;
	line->hex = text;
	line->hex_len = len;
	line->name = text + len + 2;
	return true;
}

// Whether the line is that of name; its value is in *ret then.
static bool
parse_line(char *text, const char *name, struct request_expected *ret)
{
	struct line line;
	enum digest_alg alg;

	text[strcspn(text, "\n")] = '\0';
	const size_t len = strlen(text);
	if (len > 0 && text[len - 1] == '\r')
		text[len - 1] = '\0';
	text += strspn(text, " \t");
	const bool is_escaped = *text == '\\';
	text += is_escaped;
	if (!split_bsd(text, &line) && !split_gnu(text, &line))
		return false;
	if (is_escaped && !unescape(line.name))
		return false;
	if (strcmp(line.name, name) != 0 &&
	    strcmp(last_component(line.name), last_component(name)) != 0)
		return false;
	if (line.alg != NULL ? !find_alg(line.alg, line.alg_len, &alg)
			     : !alg_of_length(line.hex_len, &alg))
		return false;
	ret->alg = alg;
	return parse_hex(line.hex, line.hex_len, alg, ret->value) == 0;
}

static int
search_file(const char *path, const char *name, struct request_expected *ret)
{
	FILE *file = fopen(path, "re");
	char *text = NULL;
	size_t size = 0;
	int r = -ENOENT;

	if (file == NULL) {
		r = -errno;
		message_error(errno, "expect=%s", path);
		return r;
	}
	while (r < 0 && getline(&text, &size, file) >= 0)
		if (parse_line(text, name, ret))
			r = 0;
	const int error = ferror(file) ? errno : 0;
	if (r < 0)
		message_error(error, "expect=%s: no digest of %s in it", path,
			      name);
	free(text);
	(void)fclose(file); // only read
	return r;
}

int
sums_parse_expected(const char *text, const char *name,
		    struct request_expected *ret)
{
	const char *colon = strchr(text, ':');
	enum digest_alg alg;
	int r;

	memset(ret, 0, sizeof(*ret));
	if (colon != NULL && find_alg(text, (size_t)(colon - text), &alg)) {
		ret->alg = alg;
		r = parse_hex(colon + 1, strlen(colon + 1), alg, ret->value);
		if (r < 0)
			message_error(0, "expect=%s: not the %zu hex digits "
				      "of %s", text, 2 * digest_size(alg),
				      digest_name(alg));
	} else if (name == NULL) {
		r = -EINVAL;
		message_error(0, "expect=%s: standard input has no name to "
			      "look for", text);
	} else {
		r = search_file(text, name, ret);
	}
	ret->is_set = r == 0;
	return r;
}

char *
sums_format_hex(enum digest_alg alg, const unsigned char *value)
{
	static const char digits[] = "0123456789abcdef";
	const size_t size = digest_size(alg);
	char *hex = calloc(2 * size + 1, 1);

	for (size_t i = 0; hex != NULL && i < size; i++) {
		hex[2 * i] = digits[value[i] >> 4];
		hex[2 * i + 1] = digits[value[i] & 15];
	}
	return hex;
}

void
sums_tell_unexpected(const struct request_expected *expected,
		     const struct hasher *hasher, const char *name)
{
	const enum digest_alg alg = (enum digest_alg)expected->alg;
	char *is = sums_format_hex(alg, hasher_result(hasher, alg));
	char *wanted = sums_format_hex(alg, expected->value);
	char *quoted = quote_name_always(name);

	message_error(0, "%s is not what was expected: its %s is %s, not %s",
		      quoted ? quoted : name, digest_name(alg), is ? is : "?",
		      wanted ? wanted : "?");
	free(quoted);
	free(wanted);
	free(is);
}

// Descriptor 1 becomes the destination: keep what it is now. A file that is
// there keeps its lines until the copy is made.
static FILE *
open_stream(const char *path)
{
	const int fd = fd_move_up(strcmp(path, "-") == 0
					  ? dup(STDOUT_FILENO)
					  : open(path, O_WRONLY | O_CREAT |
							       O_CLOEXEC,
						 0666));

	errno = fd < 0 ? -fd : 0;
	return fd < 0 ? NULL : fdopen(fd, "w");
}

// From the directory of the file it lies in, the copy goes by its last name.
static const char *
name_beside(const char *path, const char *name)
{
	const char *slash = strrchr(name, '/');
	const char *path_slash = strrchr(path, '/');

	if (slash != NULL && path_slash != NULL &&
	    slash - name == path_slash - path &&
	    strncmp(name, path, (size_t)(slash - name)) == 0)
		return slash + 1;
	return name;
}

int
sums_open(struct sums *sums, const char *path, const char *name,
	  unsigned hashes)
{
	*sums = (struct sums){.path = path,
			      .file = stderr,
			      .hashes = hashes,
			      .name = name ? name : "-",
			      .is_bsd = path == NULL ||
					(hashes & (hashes - 1)) != 0};
	if (path == NULL)
		return 0;
	if (strcmp(path, "-") == 0 && name == NULL) {
		message_error(0, "sums=-: standard output takes the copy");
		return -EINVAL;
	}
	sums->name = name_beside(path, sums->name);
	sums->file = open_stream(path);
	if (sums->file != NULL)
		return 0;
	message_error(errno, "sums=%s", path);
	return -errno;
}

static void
print_name(FILE *file, const char *name)
{
	for (; *name != '\0'; name++) {
		if (*name == '\n')
			fputs("\\n", file);
		else if (*name == '\r')
			fputs("\\r", file);
		else if (*name == '\\')
			fputs("\\\\", file);
		else
			fputc(*name, file);
	}
}

static void
print_line(const struct sums *sums, enum digest_alg alg,
	   const unsigned char *value)
{
	char *hex = sums_format_hex(alg, value);

	if (strpbrk(sums->name, "\n\r\\") != NULL)
		fputc('\\', sums->file);
	if (sums->is_bsd)
		fprintf(sums->file, "%s (", digest_bsd_name(alg));
	else
		fprintf(sums->file, "%s  ", hex ? hex : "?");
	print_name(sums->file, sums->name);
	if (sums->is_bsd)
		fprintf(sums->file, ") = %s", hex ? hex : "?");
	fputc('\n', sums->file);
	free(hex);
}

int
sums_write(struct sums *sums, const struct hasher *hasher)
{
	if (sums->path == NULL && sums->hashes != 0)
		message_close_line();
	if (sums->path != NULL && strcmp(sums->path, "-") != 0)
		(void)!ftruncate(fileno(sums->file), 0); // a pipe has no size
	for (enum digest_alg alg = 0; alg < DIGEST_NR; alg++)
		if (sums->hashes & 1U << alg)
			print_line(sums, alg, hasher_result(hasher, alg));
	if (sums->path == NULL)
		return 0;
	const bool has_failed = ferror(sums->file) != 0;
	if (fclose(sums->file) == 0 && !has_failed)
		return 0;
	message_error(errno, "sums=%s", sums->path);
	return -EIO;
}
