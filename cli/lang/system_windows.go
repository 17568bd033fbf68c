package lang

import "golang.org/x/sys/windows"

// System returns the languages that the user has chosen in Windows, the first one first; nil if it does not tell.
func System() []string {
	all, err := windows.GetUserPreferredUILanguages(windows.MUI_LANGUAGE_NAME)
	if err != nil {
		return nil
	}
	return all
}
