// How plausible it is that a caller turns to a vault at all: popularity shrunk from level to level, and nearness.
//
// Threads: pure.
#pragma once

namespace keyvigil {

// One level of an interpolated Kneser-Ney estimate (Kneser, Ney 1995, in the Pitman-Yor form of Teh 2006): how often
// the one thing was seen, how often anything, and how many different things.
struct Popularity {
  double count = 0;     // >= 0
  double total = 0;     // >= count
  double distinct = 0;  // <= total
};

// The chance of the thing at this level; `parent` is its chance one level up. concentration > 0, discount in [0, 1).
// (max(count - d, 0) + (a + d distinct) parent) / (a + total)
[[nodiscard]] double back_off(const Popularity& level, double parent, double concentration, double discount);

// The chance of a vault among all of the estate: `callers` distinct ones use it, of `edges` on `vaults` vaults. A vault
// never seen has the share of one more. vaults >= 0.
[[nodiscard]] double vault_popularity(double callers, double edges, double vaults);

// ln of how many times likelier than by chance the edge is: `walk` is WalkFacts::probability. At least ln 1e-300, so
// that the scores of an empty estate compare.
[[nodiscard]] double edge_score(double walk, double popularity, double vaults);
// The same for a caller whose group is declared; `group_popularity` is the vault's chance within it.
[[nodiscard]] double edge_score(double walk, double group_popularity, double popularity, double vaults);

}  // namespace keyvigil
