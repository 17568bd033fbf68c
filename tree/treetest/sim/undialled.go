package main

import (
	"cmp"
	"fmt"

	"relay/tree/treetest"
)

// undialled lets crowds of which so large a share cannot be dialled come and go, and come at once.
func undialled(o *options) error {
	if len(o.undialled) == 0 {
		return nil
	}
	var failed error
	name := o.mixes[0]
	kinds := func(share float64) *treetest.Kinds {
		k := treetest.Undialled(share)
		k.Feign = o.feign
		return &k
	}
	title := func(share float64) string { return fmt.Sprintf("%s %.0f%%", name, 100*share) }
	if !o.noChurn {
		fmt.Println("\n" + header)
		for _, share := range o.undialled {
			rs := parallel(o.seeds, func(i uint64) result { return churn(o, treetest.Mixes[name], kinds(share), o.first+i) })
			fmt.Println(row(title(share), rs))
			for _, r := range rs {
				failed = cmp.Or(failed, r.err)
			}
		}
	}
	if !o.noFlash {
		flashHeader()
		for _, share := range o.undialled {
			rs := parallel(o.seeds, func(i uint64) result { return flash(*o, treetest.Mixes[name], kinds(share), o.first+i) })
			failed = cmp.Or(failed, flashRow(*o, title(share), rs))
		}
	}
	return failed
}
