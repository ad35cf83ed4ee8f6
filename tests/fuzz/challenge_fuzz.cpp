// WWW-Authenticate: what is read is bounded, clean, and, written down again with quotes, reads as
// the same challenges.
#include <cstdint>
#include <string>

#include "fuzz/require.h"
#include "image/registry_challenge.h"

using podium::fuzz::Require;
using podium::image::Challenge;

namespace {

std::string Write(const std::vector<Challenge>& challenges) {
  std::string text;
  for (const Challenge& challenge : challenges) {
    if (!text.empty()) text += ", ";
    text += challenge.scheme;
    if (!challenge.token.empty()) text += ' ' + challenge.token;
    const char* separator = " ";
    for (const auto& [name, value] : challenge.parameters) {
      text += separator + name + "=\"";
      for (const char c : value) {
        if (c == '"' || c == '\\') text += '\\';
        text += c;
      }
      text += '"';
      separator = ", ";
    }
  }
  return text;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto challenges = podium::image::ParseChallenges(text);
  for (const Challenge& challenge : challenges) {
    Require(!challenge.scheme.empty());
    Require(challenge.token.empty() || challenge.parameters.empty());
    for (const auto& [name, value] : challenge.parameters) {
      Require(!name.empty() && challenge.Get(name) == value);
    }
  }
  const auto again = podium::image::ParseChallenges(Write(challenges));
  Require(again.size() == challenges.size());
  for (size_t i = 0; i < again.size(); ++i) {
    Require(again[i].scheme == challenges[i].scheme);
    Require(again[i].token == challenges[i].token);
    Require(again[i].parameters == challenges[i].parameters);
  }
  return 0;
}
