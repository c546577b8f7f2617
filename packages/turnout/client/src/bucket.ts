/** A chart's spans of time: `2026-11-01` for days, weeks and months, `2026-11-01 14:00:00` for hours and minutes. */
export type Step = "minute" | "hour" | "day" | "week" | "month";

/** The day on which a bucket begins. */
export function firstDay(bucket: string): string {
  return bucket.slice(0, 10);
}

/** The day on which a bucket ends. */
export function lastDay(bucket: string, step: Step): string {
  const day = new Date(`${firstDay(bucket)}T00:00:00Z`); // whichever zone the browser is in
  if (step === "week") day.setUTCDate(day.getUTCDate() + 6 - ((day.getUTCDay() + 6) % 7));
  if (step === "month") day.setUTCMonth(day.getUTCMonth() + 1, 0);
  return day.toISOString().slice(0, 10);
}
