#!/usr/bin/env python3
"""Writes src/reflect/regexp/unicode.inc: what regular expressions ask of Unicode.

The data are those of the installed perl (Debian 12: Unicode 14.0):

  tools/unicode_tables.py > src/reflect/regexp/unicode.inc
"""

import subprocess

PERL = r"""
use Unicode::UCD qw(prop_invmap);
for my $property ("General_Category", "Script") {
  my ($list, $map) = prop_invmap($property);
  for my $i (0 .. $#$list) {
    printf "%s %d %s\n", $property, $list->[$i], $map->[$i] if $list->[$i] <= 0x10FFFF;
  }
}
my ($list, $map, $format, $default) = prop_invmap("Simple_Case_Folding");
for my $i (0 .. $#$list - 1) {
  next if $map->[$i] eq $default;
  for my $code ($list->[$i] .. $list->[$i + 1] - 1) {
    printf "Fold %d %d\n", $code, $map->[$i] + $code - $list->[$i];
  }
}
"""

CATEGORIES = {}
for line in """Lu Uppercase_Letter
Ll Lowercase_Letter
Lt Titlecase_Letter
Lm Modifier_Letter
Lo Other_Letter
Mn Nonspacing_Mark
Mc Spacing_Mark
Me Enclosing_Mark
Nd Decimal_Number
Nl Letter_Number
No Other_Number
Pc Connector_Punctuation
Pd Dash_Punctuation
Ps Open_Punctuation
Pe Close_Punctuation
Pi Initial_Punctuation
Pf Final_Punctuation
Po Other_Punctuation
Sm Math_Symbol
Sc Currency_Symbol
Sk Modifier_Symbol
So Other_Symbol
Zs Space_Separator
Zl Line_Separator
Zp Paragraph_Separator
Cc Control
Cf Format
Cs Surrogate
Co Private_Use
Cn Unassigned""".splitlines():
    short, long = line.split()
    CATEGORIES[long] = short


def rows(name, runs):
    """One array of runs: the first code point of each, and what it is, in one number."""
    print(f"constexpr uint32_t {name}[] = {{")
    texts = [f"{first << 8 | value:#x}," for first, value in runs]
    line = "   "
    for text in texts:
        if len(line) + 1 + len(text) > 100:
            print(line)
            line = "   "
        line += " " + text
    print(line)
    print("};")


def main():
    out = subprocess.run(["perl", "-e", PERL], check=True, capture_output=True, text=True).stdout
    categories, scripts, folded = [], [], {}
    for line in out.splitlines():
        what, first, value = line.split()
        if what == "General_Category":
            categories.append((int(first), CATEGORIES.get(value, value)))
        elif what == "Script":
            scripts.append((int(first), value))
        else:
            folded[int(first)] = int(value)
    names = list(CATEGORIES.values())
    print("// Made by tools/unicode_tables.py.")
    print("constexpr const char* kCategoryNames[] = {")
    print("    " + ", ".join(f'"{name}"' for name in names[:15]) + ",")
    print("    " + ", ".join(f'"{name}"' for name in names[15:]) + "};")
    script_names = sorted({value for _, value in scripts})
    print("constexpr const char* kScriptNames[] = {")
    for i in range(0, len(script_names), 4):
        print("    " + ", ".join(f'"{name}"' for name in script_names[i:i + 4]) + ",")
    print("};")
    print("// first code point << 8 | index of the name, up to the next row")
    rows("kCategoryRuns", [(first, names.index(value)) for first, value in categories])
    rows("kScriptRuns", [(first, script_names.index(value)) for first, value in scripts])
    # Those that are equal but for case, each with the next of them.
    orbits = {}
    for code, to in folded.items():
        orbits.setdefault(to, {to}).add(code)
    following = {}
    for orbit in orbits.values():
        members = sorted(orbit)
        for i, code in enumerate(members):
            following[code] = members[(i + 1) % len(members)]
    print("struct Fold {\n  char32_t code;\n  char32_t next;\n};")
    print("constexpr Fold kFolds[] = {")
    line = "   "
    for code in sorted(following):
        text = f"{{{code:#x}, {following[code]:#x}}},"
        if len(line) + 1 + len(text) > 100:
            print(line)
            line = "   "
        line += " " + text
    print(line)
    print("};")


if __name__ == "__main__":
    main()
