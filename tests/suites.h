// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#pragma once

#include <check.h>

// In the order of the rooms, from below: the first failure is the cause.
// clang-format off
#define SUITES(suite) \
	suite(compat) suite(event) \
	suite(loop) suite(memory) \
	suite(decode) \
	suite(digest) suite(hasher) \
	suite(safety) suite(label) \
	suite(open) suite(side) suite(probe) suite(extent) suite(identity) \
	suite(beside) \
	suite(pace) suite(writeback) suite(hold) suite(compare) \
	suite(plan) \
	suite(map) suite(mapfile) suite(manifest) suite(bmap) \
	suite(job) suite(aio) suite(submitter) \
	suite(ring) suite(reader) suite(checker) suite(writer) \
	suite(zeroer) suite(copy) suite(fan) \
	suite(engine) suite(feeder) suite(nbd) \
	suite(filter) suite(reblock) suite(nocache) suite(serial) \
	suite(position) suite(walk) suite(record) \
	suite(chase) \
	suite(change) suite(clear) suite(commit) suite(verify) suite(vouch) \
	suite(mapkeep) suite(rescue) \
	suite(clone) suite(caution) suite(transfer) suite(kinds) \
	suite(durability) \
	suite(outcome) \
	suite(units) suite(report) suite(quote) suite(nearest) suite(correct) \
	suite(conflict) \
	suite(bar) suite(journal) suite(progress)
// clang-format on

#define DECLARE_SUITE(name) Suite *name##_suite(void);
SUITES(DECLARE_SUITE)
