/** English words that say how something is asked and not what about. */
const stopWords: ReadonlySet<string> = new Set(
  (
    'a about after again all also am an and any are as at be because been before being but by can could did do does ' +
    'doing done for from get gets give had has have having he her here him his how i if in into is it its just know ' +
    'let like made make makes many may me might more most much must my need no not of off on once one only or other ' +
    'our out over own please same she should show so some such tell than that the their them then there these they ' +
    'this those through to too under up us use used using very want was way we were what when where which while who ' +
    'whom whose why will with would you your rivulet'
  ).split(' '),
)

/** Whether a word, in lower case, says nothing about the subject. The project's own name is one: it is everywhere. */
export function isStopWord(word: string): boolean {
  return stopWords.has(word)
}
