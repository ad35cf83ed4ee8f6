#include "load/memory.h"

#include <chrono>
#include <cstdio>
#include <fstream>
#include <functional>
#include <memory>
#include <thread>

namespace podium::load {
namespace {

constexpr size_t kClients = 20;

// Of all the processes, in KiB.
size_t ProportionalSetSize(const std::vector<int>& pids) {
  size_t sum = 0;
  for (const int pid : pids) {
    std::ifstream file("/proc/" + std::to_string(pid) + "/smaps_rollup");
    for (std::string word; file >> word;) {
      size_t size = 0;
      if (word == "Pss:" && file >> size) sum += size;
    }
  }
  return sum;
}

// Creates objects from the first number up to the last, several at a time.
Result<void> Fill(const Options& options, size_t from, size_t to) {
  const bool pods = options.kind == "pods";
  const auto request = [&](size_t number) {
    const std::string name = "object-" + std::to_string(number);
    return options.target.Request("POST", InSpace(options, options.kind),
                                  pods ? Pod(name) : ConfigMap(name));
  };
  TRY(const auto loop, Loop::Create());
  std::vector<std::unique_ptr<Connection>> connections;
  size_t next = from;
  size_t done = from;
  for (size_t i = 0; i < kClients && next < to; ++i) {
    TRY(auto connection, Connection::Open(options.target));
    TRY_VOID(connection->Send(request(next++)));
    loop->Add(*connection);
    connections.push_back(std::move(connection));
  }
  Result<void> result;
  loop->Run(Clock::now() + std::chrono::minutes(10), [&](Connection& connection) {
    int status = 0;
    if (!connection.Receive()) {
      result = Error(Code::kUnavailable, "the server hung up");
      return false;
    }
    const auto whole = connection.TakeResponse(&status, nullptr);
    if (!whole.ok() || !*whole) return whole.ok();
    if (status != 201) {
      result = Error(Code::kUnavailable, "a create was answered " + std::to_string(status));
      return false;
    }
    ++done;
    if (next < to) result = connection.Send(request(next++));
    return result.ok() && done < to;
  });
  TRY_VOID(std::move(result));
  if (done < to) return Error(Code::kDeadlineExceeded, "not all objects were made");
  return {};
}

// All of them, in pages as clients ask for them.
Result<void> ListAll(const Options& options) {
  TRY(const auto connection, Connection::Open(options.target));
  std::string next;
  do {
    const std::string query = "?limit=500" + (next.empty() ? "" : "&continue=" + next);
    TRY(const Response page,
        connection->Ask(options.target.Request("GET", InSpace(options, options.kind + query))));
    if (page.status != 200) return Error(Code::kUnavailable, "listing: " + page.body);
    // It stands before the items.
    constexpr std::string_view kMark = R"("continue":")";
    const size_t items = page.body.find(R"("items":)");
    const size_t at = page.body.find(kMark);
    next.clear();
    if (at != page.body.npos && at < items) {
      const size_t begin = at + kMark.size();
      next = page.body.substr(begin, page.body.find('"', begin) - begin);
    }
  } while (!next.empty());
  return {};
}

}  // namespace

Result<void> Memory(const Options& options) {
  const auto measure = [&] {
    // What a server does behind its answers comes to an end.
    std::this_thread::sleep_for(std::chrono::seconds(2));
    return ProportionalSetSize(options.pids);
  };
  const size_t empty = measure();
  size_t made = 0;
  for (const size_t objects : options.objects) {
    TRY_VOID(Fill(options, made, objects));
    made = objects;
    const size_t filled = measure();
    TRY_VOID(ListAll(options));
    const size_t listed = measure();
    const auto each = [&](size_t size) {
      return (static_cast<double>(size) - static_cast<double>(empty)) * 1024 /
             static_cast<double>(objects);
    };
    std::printf(
        "{\"what\":\"memory\",\"kind\":\"%s\",\"objects\":%zu,\"empty_mib\":%.1f,"
        "\"filled_mib\":%.1f,\"listed_mib\":%.1f,\"bytes_each\":%.0f,\"bytes_each_listed\":%.0f}\n",
        options.kind.c_str(), objects, static_cast<double>(empty) / 1024,
        static_cast<double>(filled) / 1024, static_cast<double>(listed) / 1024, each(filled),
        each(listed));
    std::fflush(stdout);
  }
  return {};
}

}  // namespace podium::load
