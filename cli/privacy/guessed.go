package privacy

import (
	"slices"
	"strings"
	"unicode"
)

// keyboards are rows and slanting columns of keys, in which fingers walk.
const keyboards = "qwertyuiop qwertzuiop azertyuiop asdfghjkl qsdfghjklm zxcvbnm yxcvbnm wxcvbn " +
	"1qaz 2wsx 3edc 4rfv 5tgb 6yhn 7ujm 1qay 2wsx йцукенгшщзхъ фывапролджэ ячсмитьбю"

// neighbours reports whether two keys are beside each other.
func neighbours(a, b rune) bool {
	return a != ' ' && b != ' ' && (strings.Contains(keyboards, string([]rune{a, b})) || strings.Contains(keyboards, string([]rune{b, a})))
}

// known are texts that come first to mind, to those who choose and to those who guess, without blanks.
var known = strings.Fields(`
correcthorsebatterystaple tobeornottobe thatisthequestion loremipsumdolorsitamet consecteturadipiscingelit
thequickbrownfoxjumpsoverthelazydog maytheforcebewithyou onceuponatime twinkletwinklelittlestar
maryhadalittlelamb happybirthdaytoyou nevergonnagiveyouup nevergonnaletyoudown allyourbasearebelongtous
livelongandprosper itwasthebestoftimes fourscoreandsevenyearsago ihaveadream wethepeople
onetwothreefourfivesixseveneightnineten mondaytuesdaywednesdaythursdayfridaysaturdaysunday
januaryfebruarymarchaprilmayjunejulyaugustseptemberoctobernovemberdecember letmein iloveyou
redorangeyellowgreenblueindigoviolet alphabravocharliedeltaechofoxtrotgolfhotel mypassword passphrase
thisismy thisisasecret helloworld howareyou wearethechampions inthebeginning opensesame password secret
`)

// wellKnown reports whether too little is left of a passphrase without what everybody knows. A beginning
// of such a text counts as the text.
func wellKnown(s string) bool {
	rest := []rune(strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return r
		}
		return -1
	}, s))
	var left []rune // the characters that are in no known text
	for len(rest) > 0 {
		n := knownPart(string(rest))
		if n == 0 {
			left = append(left, rest[0])
			n = 1
		}
		rest = rest[n:]
	}
	slices.Sort(left)
	return len(left) < leastChars/2 || len(slices.Compact(left)) < leastDifferent/2
}

// leastKnown is how many characters make a beginning of a known text that counts as one.
const leastKnown = 12

// knownPart returns how many characters s has of a known text from that text's beginning on: all of it, or
// [leastKnown] at least.
func knownPart(s string) (most int) {
	for _, k := range known {
		n := 0
		for n < min(len(s), len(k)) && s[n] == k[n] { // they are ASCII
			n++
		}
		if (n == len(k) || n >= leastKnown) && n > most {
			most = n
		}
	}
	return most
}
