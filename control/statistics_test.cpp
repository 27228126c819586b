#include "control/statistics.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "datapath/native/native_tables.hpp"

namespace penstock::control {
namespace {

Config two_cpus() {
  Config config = small_config();
  config.cpus = 2;
  return config;
}

class statistics : public testing::Test {
 protected:
  // A connection of `packets` packets of 100 bytes each, and twice as many answers of 30 bytes.
  void traffic(u32 slot, u64 packets, u32 cpu = 0) {
    ServerCounters& row = tables.counters[slot * tables.config.cpus + cpu];
    row.connections += 1;
    row.in_packets += packets;
    row.in_bytes += packets * 100;
    row.out_packets += packets * 2;
    row.out_bytes += packets * 60;
  }
  static api::Statistics expected(u64 connections, u64 packets) {
    return {.connections = connections,
            .in_packets = packets,
            .out_packets = packets * 2,
            .in_bytes = packets * 100,
            .out_bytes = packets * 60};
  }

  NativeTables owner{two_cpus()};
  Tables& tables = owner.view();
  StatisticsBook book{tables};
};

TEST_F(statistics, sums_cpus_servers_and_services) {
  book.open_service(1);
  book.open_service(2);
  book.join(0, 1);
  book.join(1, 1);
  book.join(2, 2);
  traffic(0, 3, 0);
  traffic(0, 4, 1);
  traffic(1, 5);
  traffic(2, 7);
  EXPECT_EQ(book.server(0), expected(2, 7));
  EXPECT_EQ(book.service(1), expected(3, 12));
  EXPECT_EQ(book.service(2), expected(1, 7));
  EXPECT_EQ(book.total(), expected(4, 19));
}

TEST_F(statistics, a_service_keeps_what_its_forgotten_servers_counted) {
  book.open_service(1);
  book.join(0, 1);
  traffic(0, 3);
  book.leave(0);
  EXPECT_EQ(book.service(1), expected(1, 3));
  traffic(0, 9);
  EXPECT_EQ(book.service(1), expected(1, 3)) << "the slot is nobody's";
}

TEST_F(statistics, a_slots_next_server_begins_at_zero) {
  book.open_service(1);
  book.open_service(2);
  book.join(0, 1);
  traffic(0, 3);
  book.leave(0);
  book.join(0, 2);
  traffic(0, 5);
  EXPECT_EQ(book.server(0), expected(1, 5));
  EXPECT_EQ(book.service(1), expected(1, 3));
  EXPECT_EQ(book.service(2), expected(1, 5));
  EXPECT_EQ(book.total(), expected(2, 8));
}

TEST_F(statistics, a_server_that_comes_back_to_its_service_has_its_counters) {
  book.open_service(1);
  book.join(0, 1);
  traffic(0, 3);
  book.join(0, 1);
  EXPECT_EQ(book.server(0), expected(1, 3));
  EXPECT_EQ(book.service(1), expected(1, 3)) << "and the service has them once";
}

TEST_F(statistics, a_service_made_anew_begins_at_zero_also_with_the_old_servers) {
  book.open_service(1);
  book.join(0, 1);
  traffic(0, 3);
  book.close_service(1);
  book.open_service(2);
  EXPECT_EQ(book.service(2), expected(0, 0));
  book.join(0, 2);
  EXPECT_EQ(book.server(0), expected(0, 0));
  EXPECT_EQ(book.service(2), expected(0, 0));
  EXPECT_EQ(book.total(), expected(1, 3)) << "the total forgets nothing";
}

TEST_F(statistics, zeroing_a_service_leaves_others_and_the_total) {
  book.open_service(1);
  book.open_service(2);
  book.join(0, 1);
  book.join(1, 1);
  book.join(2, 2);
  traffic(0, 3);
  traffic(1, 3);
  traffic(2, 3);
  const u32 servers[] = {0, 1};
  book.zero_service(1, servers);
  EXPECT_EQ(book.server(0), expected(0, 0));
  EXPECT_EQ(book.service(1), expected(0, 0));
  EXPECT_EQ(book.server(2), expected(1, 3));
  EXPECT_EQ(book.total(), expected(3, 9));
  traffic(0, 2);
  EXPECT_EQ(book.server(0), expected(1, 2));
  EXPECT_EQ(book.service(1), expected(1, 2));
  book.zero_total();
  EXPECT_EQ(book.total(), expected(0, 0));
  EXPECT_EQ(book.service(1), expected(1, 2));
}

TEST_F(statistics, what_the_tables_counted_before_us_is_nobodys) {
  traffic(0, 50);
  traffic(1, 50);
  book.open_service(1);
  book.join(1, 1);
  traffic(1, 3);
  EXPECT_EQ(book.server(1), expected(1, 3));
  EXPECT_EQ(book.service(1), expected(1, 3));
  EXPECT_EQ(book.total(), expected(1, 3));
}

TEST_F(statistics, goes_on_from_what_was_stored) {
  book.open_service(5);
  book.join(0, 5);
  book.join(1, 5);
  traffic(0, 3);
  traffic(1, 4);
  book.leave(1);
  book.close_service(4);

  StatisticsBook other(tables);
  other.adopt_total(book.slots_end(), book.total_base());
  other.adopt_service(5, book.service_account(5).carried);
  other.adopt_server(0, book.server_account(0).service, book.server_account(0).base);
  traffic(0, 1);
  EXPECT_EQ(other.server(0), expected(2, 4));
  EXPECT_EQ(other.service(5), expected(3, 8));
  EXPECT_EQ(other.total(), expected(3, 8));
  other.tick();
  EXPECT_EQ(other.server_rates(0).connections, 0U) << "one connection in 2 s moves the average by 1/8";
  EXPECT_EQ(other.service_rates(5).in_bytes, 12U) << "100 bytes in 2 s are 50/s, of which a quarter";
}

// Numbers worked by hand from ip_vs_est.c's arithmetic: rate = count << 9, average += (rate - average) >> 2,
// shown (average + 0x1FF) >> 10; bytes: << 4, (average + 0xF) >> 5.
TEST(estimator, moves_a_quarter_of_the_way_every_tick) {
  Estimator estimator;
  api::Statistics counted;
  const u64 shown[] = {12, 22, 29, 34, 38};  // 12800 · 22400 · 29600 · 35000 · 39050 of 1024ths; 100 in 2 s are 50/s
  for (const u64 connections : shown) {
    counted.connections += 100;
    estimator.tick(counted);
    EXPECT_EQ(estimator.rates().connections, connections);
  }
}

TEST(estimator, keeps_all_five_apart) {
  Estimator estimator;
  estimator.tick({.connections = 800, .in_packets = 1600, .out_packets = 2400, .in_bytes = 3200, .out_bytes = 4000});
  const api::Rates rates = estimator.rates();
  EXPECT_EQ(rates.connections, 100U);
  EXPECT_EQ(rates.in_packets, 200U);
  EXPECT_EQ(rates.out_packets, 300U);
  EXPECT_EQ(rates.in_bytes, 400U);
  EXPECT_EQ(rates.out_bytes, 500U);
}

TEST(estimator, falls_to_nothing_and_never_below) {
  Estimator estimator;
  api::Statistics counted;
  counted.in_packets = 1'000'000;
  counted.in_bytes = 1'500'000'000;
  estimator.tick(counted);
  EXPECT_EQ(estimator.rates().in_packets, 125'000U);
  EXPECT_EQ(estimator.rates().in_bytes, 187'500'000U);
  for (int i = 0; i < 200; ++i) estimator.tick(counted);
  EXPECT_EQ(estimator.rates().in_packets, 0U);
  EXPECT_EQ(estimator.rates().in_bytes, 0U);
}

TEST(estimator, restarts_without_a_jump) {
  Estimator estimator;
  api::Statistics counted;
  counted.connections = 1000;
  estimator.restart(counted);
  estimator.tick(counted);
  EXPECT_EQ(estimator.rates().connections, 0U);
}

}  // namespace
}  // namespace penstock::control
