/** A chart's spans of time: `2026-11-01` for days, weeks and months, `2026-11-01 14:00:00` for hours and minutes. */
export type Step = "minute" | "hour" | "day" | "week" | "month";

const DAY: Intl.DateTimeFormatOptions = { weekday: "short", day: "numeric", month: "short" };
const CLOCK: Intl.DateTimeFormatOptions = { hour: "2-digit", minute: "2-digit" };
const WORDS: Record<Step, Intl.DateTimeFormatOptions> = {
  minute: CLOCK,
  hour: { ...DAY, ...CLOCK },
  day: { ...DAY, year: "numeric" },
  week: { day: "numeric", month: "short", year: "numeric" },
  month: { month: "long", year: "numeric" },
};

/** A bucket as a person says it. */
export function bucketWords(bucket: string, step: Step): string {
  const words = new Intl.DateTimeFormat("en-GB", { ...WORDS[step], timeZone: "UTC" }).format(moment(bucket));
  return step === "week" ? `Week of ${words}` : words.replace(/^(\w+), /, "$1 ");
}

/** The day on which a bucket begins. */
export function firstDay(bucket: string): string {
  return bucket.slice(0, 10);
}

/** The day on which a bucket ends. */
export function lastDay(bucket: string, step: Step): string {
  const day = moment(firstDay(bucket));
  if (step === "week") day.setUTCDate(day.getUTCDate() + 6 - ((day.getUTCDay() + 6) % 7));
  if (step === "month") day.setUTCMonth(day.getUTCMonth() + 1, 0);
  return day.toISOString().slice(0, 10);
}

/** The site's wall clock, kept in UTC so that no zone of the browser's meddles. */
function moment(bucket: string): Date {
  return new Date(bucket.length > 10 ? `${bucket.replace(" ", "T")}Z` : `${bucket}T00:00:00Z`);
}
