// Package lineage proves how far a node is from the root, so that nobody gets a better place by
// claiming one.
//
// The channel's key signs the place of the root's node, and each parent that of each child: the
// channel, the epoch, the child, how many links below the root it is, and until when that holds. A
// node shows the places from the root down to its own, which is its lineage. Nobody can make it
// shorter without the key of a node that is nearer to the root: a liar gains nothing unless one of
// its ancestors lies for it. It can show an older one for as long as that holds, [Life].
//
// Times are the root's own clock, which beats sign, so no machine's clock matters. The package does
// no I/O and knows no links.
package lineage
