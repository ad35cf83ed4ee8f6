// Result<T>: a value or an Error. TRY and TRY_VOID are statements, not expressions: a macro that
// yields a value is no standard C++ and breaks around co_await.
//
//   Result<Config> Load(const std::string& path) {
//     TRY(std::string text, ReadFile(path));
//     TRY_VOID(CheckSize(text));
//     return Parse(text);
//   }
#pragma once

#include <cassert>
#include <expected>
#include <type_traits>
#include <utility>

#include "base/error.h"

namespace podium {

template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::move(value)) {}                       // NOLINT: implicit on purpose
  Result(Error error) : state_(std::unexpected(std::move(error))) {}  // NOLINT: likewise

  bool ok() const { return state_.has_value(); }
  explicit operator bool() const { return ok(); }

  // Only when ok().
  T& value() & { return assert(ok()), *state_; }
  const T& value() const& { return assert(ok()), *state_; }
  T&& value() && { return assert(ok()), *std::move(state_); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  // Only when not ok().
  const Error& error() const& { return assert(!ok()), state_.error(); }
  Error&& error() && { return assert(!ok()), std::move(state_).error(); }

 private:
  std::expected<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : state_(std::unexpected(std::move(error))) {}  // NOLINT: implicit on purpose

  bool ok() const { return state_.has_value(); }
  explicit operator bool() const { return ok(); }
  // Only when not ok().
  const Error& error() const& { return assert(!ok()), state_.error(); }
  Error&& error() && { return assert(!ok()), std::move(state_).error(); }

 private:
  std::expected<void, Error> state_;
};

#define PODIUM_CONCAT_INNER(a, b) a##b
#define PODIUM_CONCAT(a, b) PODIUM_CONCAT_INNER(a, b)

// TRY(declaration, expression): declares and initialises from the value, or returns the error.
#define TRY(declaration, ...) \
  TRY_INNER(PODIUM_CONCAT(try_result_, __COUNTER__), declaration, __VA_ARGS__)
#define TRY_INNER(result, declaration, ...)           \
  auto result = (__VA_ARGS__);                        \
  if (!result.ok()) return std::move(result).error(); \
  declaration = *std::move(result)

// TRY_VOID(expression): returns the error, if there is one.
#define TRY_VOID(...)                                                     \
  do {                                                                    \
    auto try_void_result = (__VA_ARGS__);                                 \
    if (!try_void_result.ok()) return std::move(try_void_result).error(); \
  } while (false)

}  // namespace podium
