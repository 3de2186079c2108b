/** The ids in a row of the Settings page, to name and to describe its control with. */
export interface RowIds {
  readonly control: string;
  readonly label: string;
  readonly hint: string;
}
