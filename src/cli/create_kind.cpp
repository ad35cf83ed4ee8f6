#include "cli/create_kind.h"

#include "cli/option_values.h"
#include "cli/server_errors.h"

namespace podium::cli {

Result<std::vector<std::string>> NameAndWords(const Invocation& invocation,
                                              std::string_view command) {
  const size_t count = invocation.arguments_before_dashes();
  if (count == 1) return invocation.arguments();
  return ArgumentsError(command, "exactly one NAME is required, got " + std::to_string(count));
}

Outcome FinishKind(ObjectMaker& maker, const KindRules& rules,
                   const Result<reflect::JsonValue>& made) {
  if (!made.ok()) {
    const std::string failure = rules.failure;
    if (failure.empty()) return ServerFailure(made.error());
    return ServerFailure(Error(made.error().code(), failure + made.error().message()));
  }
  std::string out;
  if (auto printed = maker.Print(*made, &out); !printed.ok()) return ServerFailure(printed.error());
  return {kOk, std::move(out), {}};
}

}  // namespace podium::cli
