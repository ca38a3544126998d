"""Writes 398 cars of the seventies (Altair's example data) as `cars.parquet`."""

from vega_datasets import local_data

cars = local_data.cars()
cars.columns = cars.columns.str.lower()
# of eight cars the consumption is not known, and cannot be learnt from
cars.dropna(subset=["miles_per_gallon"]).to_parquet("cars.parquet", index=False)
