// What kind of character a byte is, and its case, in ASCII and whatever the locale: for names,
// numbers and grammars. <cctype> asks the locale, and is undefined for bytes above 127.
#pragma once

namespace podium {

constexpr bool IsDigit(char c) { return c >= '0' && c <= '9'; }
constexpr bool IsLower(char c) { return c >= 'a' && c <= 'z'; }
constexpr bool IsUpper(char c) { return c >= 'A' && c <= 'Z'; }
constexpr bool IsLetter(char c) { return IsLower(c) || IsUpper(c); }
constexpr bool IsLetterOrDigit(char c) { return IsLetter(c) || IsDigit(c); }
constexpr bool IsLowerOrDigit(char c) { return IsLower(c) || IsDigit(c); }
constexpr bool IsLowerHex(char c) { return IsDigit(c) || (c >= 'a' && c <= 'f'); }
constexpr bool IsHex(char c) { return IsLowerHex(c) || (c >= 'A' && c <= 'F'); }

constexpr char ToLower(char c) { return IsUpper(c) ? static_cast<char>(c - 'A' + 'a') : c; }
constexpr char ToUpper(char c) { return IsLower(c) ? static_cast<char>(c - 'a' + 'A') : c; }
// The value of a hexadecimal digit; -1 for what is none.
constexpr int HexValue(char c) {
  if (IsDigit(c)) return c - '0';
  return IsHex(c) ? ToLower(c) - 'a' + 10 : -1;
}

}  // namespace podium
