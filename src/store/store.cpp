#include "store/store.h"

#include <future>

namespace podium::store {
namespace {

// Calls `begin` with a callback and waits for what that gets. The callback owns the promise too:
// who waits may be gone before set_value has returned.
template <class T, class Begin>
Result<T> WaitFor(Begin begin) {
  auto answer = std::make_shared<std::promise<Result<T>>>();
  begin([answer](Result<T> result) { answer->set_value(std::move(result)); });
  return answer->get_future().get();
}

}  // namespace

Result<Written> Store::WriteAndWait(Write write) {
  return WaitFor<Written>([&](WriteDone done) { Apply(std::move(write), std::move(done)); });
}

Result<void> Store::CompactAndWait(Revision revision) {
  return WaitFor<void>([&](CompactDone done) { Compact(revision, std::move(done)); });
}

Result<EntryPtr> Store::Get(std::string_view key, Revision at) {
  RangeOptions options;
  options.keys = KeyRange::Single(std::string(key));
  options.at = at;
  TRY(RangeResult result, Range(options));
  if (result.entries.empty()) return EntryPtr();
  return std::move(result.entries.front());
}

}  // namespace podium::store
